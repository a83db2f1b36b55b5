import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Runs the real ffmpeg to its end and answers its log. @throws when it fails */
export async function ffmpeg(args: readonly string[]): Promise<string> {
  const child = spawn(process.env['FFMPEG_PATH'] ?? 'ffmpeg', ['-y', '-nostdin', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`ffmpeg ended with code ${String(code)}: ${log}`)
  return log
}
