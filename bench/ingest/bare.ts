import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** The bitrates of the default ladder. */
const BITRATES = ['64k', '128k', '192k'] as const

/** The plain command line: one decode, three AAC encodes, default settings. */
export async function encodeBare(file: string, folder: string): Promise<void> {
  const outputs = BITRATES.flatMap((bitrate) => [
    '-map',
    '0:a:0',
    '-c:a',
    'aac',
    '-b:a',
    bitrate,
    join(folder, `${bitrate}.m4a`),
  ])
  const ffmpeg = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    ['-y', '-nostdin', '-v', 'error', '-i', file, ...outputs],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const [code] = await once(ffmpeg, 'exit')
  if (code !== 0) throw new Error(`ffmpeg ended with code ${String(code)}`)
}
