import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'

const PAGE = `<!doctype html><title>Progressive MP3</title>
<button aria-label="Play">Play</button><script>
const audio = new Audio()
audio.preload = 'none'
audio.src = '/track.mp3'
document.querySelector('button').onclick = () => audio.play()
</script>`

/** Encodes `file` as a 192 kbit/s MP3, as a shop without HLS would offer it. */
export async function makeMp3(file: string, output: string): Promise<void> {
  const child = spawn(
    process.env['FFMPEG_PATH'] ?? 'ffmpeg',
    [
      '-v',
      'error',
      '-y',
      '-i',
      file,
      '-map',
      '0:a:0',
      '-c:a',
      'libmp3lame',
      '-b:a',
      '192k',
      output,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  )
  const [code]: unknown[] = await once(child, 'exit')
  if (code !== 0) throw new Error(`ffmpeg exited with ${String(code)}`)
}

/** Serves one page with one MP3 behind one button: the baseline. Answers ranges. */
export async function serveProgressive(mp3: string) {
  const { size } = await stat(mp3)
  const server = createServer((request, response) => {
    if (request.url !== '/track.mp3') {
      response.writeHead(200, { 'content-type': 'text/html' }).end(PAGE)
      return
    }
    const asked = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '')
    const start = Number(asked?.[1] ?? 0)
    const end = asked?.[2] ? Number(asked[2]) : size - 1
    response.writeHead(asked ? 206 : 200, {
      'content-type': 'audio/mpeg',
      'accept-ranges': 'bytes',
      'content-length': end - start + 1,
      ...(asked ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
      'cache-control': 'no-store',
    })
    createReadStream(mp3, { start, end }).pipe(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('the server has no address')
  return {
    url: `http://localhost:${address.port}`,
    stop: () => new Promise((resolve) => server.close(resolve)),
  }
}
