/**
 * The few parts of Postgres's frontend/backend protocol 3.0 which a server in front of PGlite needs
 * (PostgreSQL documentation, chapter "Frontend/Backend Protocol").
 */

/** What a client may send before its first real message. */
export type Startup =
  | { kind: 'incomplete' }
  | { kind: 'encryption-request'; size: number }
  | { kind: 'cancel-request' }
  | { kind: 'startup'; size: number; minorVersion: number }
  | { kind: 'unsupported' }

const SSL_REQUEST = 80877103
const GSS_REQUEST = 80877104
const CANCEL_REQUEST = 80877102

/** Reads the untyped message with which every connection starts. */
export function readStartup(bytes: Buffer): Startup {
  if (bytes.length < 8) return { kind: 'incomplete' }
  const size = bytes.readInt32BE(0)
  // 10,000 bytes is what Postgres itself accepts for a startup packet.
  if (size < 8 || size > 10_000) return { kind: 'unsupported' }
  if (bytes.length < size) return { kind: 'incomplete' }
  const code = bytes.readInt32BE(4)
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption-request', size }
  if (code === CANCEL_REQUEST) return { kind: 'cancel-request' }
  if (code >>> 16 === 3) return { kind: 'startup', size, minorVersion: code & 0xffff }
  return { kind: 'unsupported' }
}

/** What a client answers when it is asked for its password. */
export type PasswordAnswer =
  | { kind: 'incomplete' }
  | { kind: 'password'; password: string; size: number }
  | { kind: 'unsupported' }

/** Reads a PasswordMessage; messages longer than any password are not waited for. */
export function readPassword(bytes: Buffer): PasswordAnswer {
  if (bytes.length > 0 && bytes[0] !== 0x70) return { kind: 'unsupported' }
  if (bytes.length < 5) return { kind: 'incomplete' }
  const size = bytes.readInt32BE(1) + 1
  if (size < 6 || size > 1_000) return { kind: 'unsupported' }
  if (bytes.length < size) return { kind: 'incomplete' }
  return { kind: 'password', password: bytes.toString('utf8', 5, size - 1), size }
}

/** One typed message inside a buffer: `bytes` includes the type and the length. */
export type FrontendMessage = { type: string; bytes: Buffer }

/** Splits complete messages off the front of a buffer. */
export function splitMessages(buffer: Buffer): { messages: FrontendMessage[]; rest: Buffer } {
  const messages: FrontendMessage[] = []
  let at = 0
  while (buffer.length - at >= 5) {
    const size = buffer.readInt32BE(at + 1) + 1
    if (size < 5) throw new Error(`a message declares ${size} bytes`)
    if (buffer.length - at < size) break
    messages.push({
      type: String.fromCharCode(buffer[at] ?? 0),
      bytes: buffer.subarray(at, at + size),
    })
    at += size
  }
  return { messages, rest: buffer.subarray(at) }
}

/**
 * Prefixes the name of a prepared statement in Parse, Bind, Describe and Close, so that two
 * connections which share one backend don't meet in each other's statements. Unnamed statements
 * stay unnamed. `onParse` is called with the prefixed name of each statement that is made.
 */
export function scopeStatementName(
  { type, bytes }: FrontendMessage,
  prefix: string,
  onParse: (name: string) => void,
): Buffer {
  let at = 5
  if (type === 'B') at = bytes.indexOf(0, at) + 1 // the portal's name comes first
  else if (type === 'D' || type === 'C') {
    if (bytes[at] !== 0x53) return bytes // 'P': a portal, which lives no longer than its transaction
    at += 1
  } else if (type !== 'P') return bytes
  if (bytes[at] === 0 || at === 0) return bytes
  if (type === 'P') onParse(prefix + bytes.toString('utf8', at, bytes.indexOf(0, at)))
  const scoped = Buffer.concat([bytes.subarray(0, at), Buffer.from(prefix), bytes.subarray(at)])
  scoped.writeInt32BE(scoped.length - 1, 1)
  return scoped
}

/** Makes a typed message from its body. */
export function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** A simple query. */
export function queryMessage(sql: string): Buffer {
  return message('Q', `${sql}\0`)
}

/** Ends a series of extended-protocol messages, and with it the skipping that follows an error. */
export const SYNC = message('S')

/** ReadyForQuery, outside a transaction. */
export const READY = message('Z', 'I')

/** An ErrorResponse with a severity, a SQLSTATE code and a sentence. */
export function errorMessage(severity: 'ERROR' | 'FATAL', code: string, text: string): Buffer {
  return message('E', `S${severity}\0V${severity}\0C${code}\0M${text}\0\0`)
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** AuthenticationCleartextPassword: nobody listens in on the loopback interface. */
export const ASK_PASSWORD = message('R', int32(3))

/** What a server says after it has let a client in. */
export function welcome(minorVersion: number, settings: Record<string, string>): Buffer {
  return Buffer.concat([
    // NegotiateProtocolVersion: clients that ask for a newer 3.x are answered in 3.0.
    ...(minorVersion > 0 ? [message('v', int32(0), int32(0))] : []),
    message('R', int32(0)),
    ...Object.entries(settings).map(([name, value]) => message('S', `${name}\0${value}\0`)),
    message('K', int32(process.pid), int32(0)),
    READY,
  ])
}

/**
 * Tells whether a simple query starts to copy rows in from the client. PGlite's backend ends itself
 * when it waits for rows that are not there yet, so they must be gathered first.
 */
export function isCopyIn({ type, bytes }: FrontendMessage): boolean {
  if (type !== 'Q' && type !== 'P') return false
  const start = type === 'Q' ? 5 : bytes.indexOf(0, 5) + 1
  return /^\s*copy\b[^;]*\bfrom\s+stdin\b/i.test(bytes.toString('utf8', start, start + 2000))
}

/** CopyInResponse: text format, columns not described (drivers send rows without looking at them). */
export const COPY_IN = message('G', Buffer.from([0, 0, 0]))

/** Takes the backend's own CopyInResponse out of what it said: the client has had one already. */
export function withoutCopyIn(output: Uint8Array): Buffer {
  const { messages } = splitMessages(Buffer.from(output))
  return Buffer.concat(messages.filter(({ type }) => type !== 'G').map(({ bytes }) => bytes))
}

/**
 * The transaction status in the ReadyForQuery at the end of a backend's output: `I` idle, `T` in a
 * transaction, `E` in a failed one; `null` when the output does not end in ReadyForQuery.
 */
export function finalStatus(output: Uint8Array): 'I' | 'T' | 'E' | null {
  const at = output.length - 6
  if (at < 0 || output[at] !== 0x5a || output[at + 4] !== 5) return null
  const status = String.fromCharCode(output[at + 5] ?? 0)
  return status === 'I' || status === 'T' || status === 'E' ? status : null
}
