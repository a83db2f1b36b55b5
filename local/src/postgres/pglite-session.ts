import type { Socket } from 'node:net'
import { isSameSecret } from '../loopback/secret.ts'
import type { Turns } from './turns.ts'
import {
  ASK_PASSWORD,
  COPY_IN,
  errorMessage,
  finalStatus,
  isCopyIn,
  queryMessage,
  readPassword,
  readStartup,
  scopeStatementName,
  splitMessages,
  SYNC,
  welcome,
  withoutCopyIn,
} from './wire.ts'

/** Collaborators of one client connection. */
export type SessionOptions = {
  id: number
  socket: Socket
  turns: Turns
  settings: Record<string, string>
  /** Asked of every client, whatever user it names. */
  password: string
  idleInTransactionMs: number
  /** Gives messages to the backend and answers what it says. */
  run: (bytes: Uint8Array) => Promise<Uint8Array>
  /** Tells whether no connection is left. */
  isLast: () => boolean
  onFatal: (error: unknown) => void
}

/** Clients that have not sent the password by then are disconnected, in milliseconds. */
const LET_IN_WITHIN_MS = 10_000

/** After these the backend answers, or must take what it has been sent so far. */
const BATCH_ENDS = new Set(['Q', 'S', 'H', 'F', 'c', 'f'])

/** A connection of one client to the shared backend. */
export function makeSession(options: SessionOptions) {
  const { id, socket, turns, settings, password } = options
  const { idleInTransactionMs, run, isLast, onFatal } = options
  const statements = new Set<string>()
  /** The protocol's version, once the client has said it. */
  let minorVersion: number | null = null
  let isLetIn = false
  const lateTimer = setTimeout(() => socket.destroy(), LET_IN_WITHIN_MS)
  const life = { isClosed: false }
  let isPumping = false
  let unread: Buffer = Buffer.alloc(0)
  let isCopyingIn = false
  let batch: Buffer[] = []
  let ready: Buffer[] = []
  let giveBack: (() => void) | null = null
  let status: 'I' | 'T' | 'E' | null = 'I'
  let idleTimer: NodeJS.Timeout | undefined

  function receive(chunk: Buffer): void {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk])
    if (minorVersion === null && !start()) return
    if (!isLetIn && !letIn()) return
    try {
      read()
    } catch (error) {
      socket.end(errorMessage('FATAL', '08P01', `protocol violation: ${String(error)}`))
      return
    }
    if (ready.length > 0 && !isPumping) void pump()
  }

  /** Answers whether the client has said which protocol it speaks. */
  function start(): boolean {
    for (;;) {
      const startup = readStartup(unread)
      switch (startup.kind) {
        case 'incomplete':
          return false
        case 'encryption-request':
          socket.write('N')
          unread = unread.subarray(startup.size)
          break
        case 'startup':
          minorVersion = startup.minorVersion
          unread = unread.subarray(startup.size)
          socket.write(ASK_PASSWORD)
          return true
        default:
          // Nothing can interrupt the one backend, so a cancel request is only taken note of.
          socket.destroy()
          return false
      }
    }
  }

  /** Answers whether the client has named the password. */
  function letIn(): boolean {
    const said = readPassword(unread)
    if (said.kind === 'incomplete') return false
    if (said.kind === 'password' && isSameSecret(said.password, password)) {
      clearTimeout(lateTimer)
      isLetIn = true
      unread = unread.subarray(said.size)
      socket.write(welcome(minorVersion ?? 0, settings))
      return true
    }
    socket.end(errorMessage('FATAL', '28P01', 'password authentication failed'))
    unread = Buffer.alloc(0)
    return false
  }

  /** Moves complete messages into batches. */
  function read(): void {
    const { messages, rest } = splitMessages(unread)
    unread = rest
    for (const message of messages) {
      if (message.type === 'X') {
        socket.end()
        return
      }
      if (isCopyIn(message)) {
        if (message.type === 'P') throw new Error('rows can be copied in by a simple query only')
        isCopyingIn = true
        socket.write(COPY_IN)
      }
      batch.push(scopeStatementName(message, `c${id}_`, (name) => statements.add(name)))
      if (isCopyingIn ? 'cf'.includes(message.type) : BATCH_ENDS.has(message.type)) {
        ready.push(...batch)
        batch = []
      }
    }
  }

  /** Runs batches one after another, holding the backend as long as a transaction is open. */
  async function pump(): Promise<void> {
    isPumping = true
    clearTimeout(idleTimer)
    try {
      while (ready.length > 0 && !life.isClosed) {
        giveBack ??= await turns.take()
        if (life.isClosed) break
        const bytes = ready.length === 1 ? ready[0] : Buffer.concat(ready)
        ready = []
        if (bytes === undefined) break
        const output = isCopyingIn ? withoutCopyIn(await run(bytes)) : await run(bytes)
        isCopyingIn = false
        status = finalStatus(output)
        if (!life.isClosed) socket.write(output)
        if (status === 'I') release()
      }
    } catch (error) {
      onFatal(error)
      socket.destroy()
    }
    isPumping = false
    if (life.isClosed) await cleanUp()
    else if (giveBack !== null) watchIdle()
  }

  function watchIdle(): void {
    idleTimer = setTimeout(() => {
      if (turns.waiting() === 0) return watchIdle()
      const text = 'terminating connection: idle in a transaction while others wait'
      socket.end(errorMessage('FATAL', '25P03', text), () => socket.destroy())
    }, idleInTransactionMs)
  }

  function release(): void {
    giveBack?.()
    giveBack = null
  }

  /** Leaves the backend as a new connection expects it. */
  async function cleanUp(): Promise<void> {
    if (giveBack === null && statements.size === 0 && !isLast()) return
    try {
      giveBack ??= await turns.take()
      if (status === null) status = finalStatus(await run(SYNC))
      if (status !== 'I') await run(queryMessage('ROLLBACK'))
      status = 'I'
      if (isLast()) await run(queryMessage('DISCARD ALL'))
      else for (const name of statements) await run(queryMessage(`DEALLOCATE "${name}"`))
    } catch (error) {
      onFatal(error)
    }
    release()
  }

  return {
    receive,
    /** Frees the backend; an open transaction is rolled back. */
    close(): void {
      life.isClosed = true
      clearTimeout(lateTimer)
      clearTimeout(idleTimer)
      if (!isPumping) void cleanUp()
    },
  }
}
