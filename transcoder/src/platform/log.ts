import pino from 'pino'

export type Log = pino.Logger

/**
 * Structured logs on standard output, one JSON object a line. Known secrets are cut out wherever a
 * driver's error carries them; keys are never handed to the log in the first place.
 */
export function makeLog(level: string): Log {
  return pino({
    level,
    base: { service: 'transcoder' },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: [
        '*.password',
        '*.secretAccessKey',
        '*.connectionString',
        'err.config',
        'err.$response',
      ],
      censor: '…',
    },
  })
}
