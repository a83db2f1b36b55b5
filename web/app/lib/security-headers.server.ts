/**
 * Where scripts may connect to beside our own origin. Uploads go straight to S3 and ciphertext may
 * come from a CDN, whose hosts are the self-hoster's choice. On a developer's machine both are other
 * ports of this machine, without TLS.
 */
function connectSources(url: URL): string {
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  return local ? 'https: http://localhost:* http://127.0.0.1:*' : 'https:'
}

/** Sets the headers that keep a page from being abused. Only scripts with the nonce run. */
export function secure(headers: Headers, requestUrl: string, nonce: string): void {
  const url = new URL(requestUrl)
  const elsewhere = connectSources(url)
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    // Sliders and progress bars are placed with style attributes; those cannot load anything.
    "style-src-attr 'unsafe-inline'",
    `img-src 'self' data: ${elsewhere}`,
    "media-src 'self' blob:",
    `connect-src 'self' ${elsewhere}`,
    "font-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ]
  headers.set('content-security-policy', policy.join('; '))
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  headers.set('referrer-policy', 'strict-origin-when-cross-origin')
  headers.set('permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=()')
  headers.set('cross-origin-opener-policy', 'same-origin')
  if (url.protocol === 'https:') {
    headers.set('strict-transport-security', 'max-age=31536000; includeSubDomains')
  }
}
