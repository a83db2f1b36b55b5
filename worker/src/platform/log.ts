/**
 * Writes one JSON object per line to the console, which is where Workers Logs reads. Callers pass
 * facts by name; never a token, a key, a cookie, a password or a query string.
 */
export type Log = {
  info: (event: string, facts: Record<string, unknown>) => void
  warn: (event: string, facts: Record<string, unknown>) => void
  error: (event: string, facts: Record<string, unknown>) => void
}

/** Makes a log that writes whole lines with `write`. */
export function makeLog(write: (line: string) => void): Log {
  const at = (level: string) => (event: string, facts: Record<string, unknown>) =>
    write(JSON.stringify({ level, event, at: new Date().toISOString(), ...facts }))
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
