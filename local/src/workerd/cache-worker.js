// The edge cache of the benchmark: a Map in workerd, spoken to as workerd speaks to any cache
// (GET → CF-Cache-Status; PUT carries a whole HTTP response as its body).
const entries = new Map()

export default {
  async fetch(request) {
    if (request.method === 'PUT') {
      const bytes = new Uint8Array(await request.arrayBuffer())
      let end = 0
      while (
        !(
          bytes[end] === 13 &&
          bytes[end + 1] === 10 &&
          bytes[end + 2] === 13 &&
          bytes[end + 3] === 10
        )
      )
        end++
      const [statusLine, ...lines] = new TextDecoder().decode(bytes.subarray(0, end)).split('\r\n')
      const headers = lines.map((line) => [
        line.slice(0, line.indexOf(':')),
        line.slice(line.indexOf(':') + 1).trim(),
      ])
      const chunked = headers.some(
        ([name, value]) => name.toLowerCase() === 'transfer-encoding' && value === 'chunked',
      )
      const kept = headers.filter(
        ([name]) => !['transfer-encoding', 'content-length'].includes(name.toLowerCase()),
      )
      const maxAge = /max-age=(\d+)/.exec(
        kept.find(([name]) => name.toLowerCase() === 'cache-control')?.[1] ?? '',
      )
      entries.set(request.url, {
        status: Number(statusLine.split(' ')[1]),
        headers: [...kept, ['CF-Cache-Status', 'HIT']],
        body: chunked ? unchunk(bytes.subarray(end + 4)) : bytes.slice(end + 4),
        until: Date.now() + Number(maxAge?.[1] ?? 0) * 1000,
      })
      return new Response(null, { status: 204 })
    }
    const entry = entries.get(request.url)
    if (!entry || entry.until < Date.now()) {
      return new Response(null, { status: 504, headers: { 'CF-Cache-Status': 'MISS' } })
    }
    return new Response(entry.body, { status: entry.status, headers: entry.headers })
  },
}

function unchunk(bytes) {
  const parts = []
  let at = 0
  for (;;) {
    let end = at
    while (bytes[end] !== 13) end++
    const size = parseInt(new TextDecoder().decode(bytes.subarray(at, end)), 16)
    if (!size) break
    parts.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 4 + size
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
