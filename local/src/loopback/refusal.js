// Plain JavaScript, because it also runs inside workerd (door-worker.js); types are in refusal.d.ts.

export function isOwnHost(host, port) {
  return [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`].includes(host?.toLowerCase())
}

export function whyRefused({ host, origin, site }, { port, origins }) {
  if (!isOwnHost(host, port)) return `this port answers to localhost:${port} only`
  if (typeof origin === 'string')
    return origins.includes(origin) ? null : 'this port answers to no page of another origin'
  // Requests that carry no Origin (an image, a link) say in Sec-Fetch-Site whose page made them.
  return site === 'cross-site' || site === 'same-site'
    ? 'this port answers to no page of another origin'
    : null
}
