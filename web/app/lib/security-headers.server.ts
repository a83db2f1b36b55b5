/** The other origins that a page may reach. */
export type PageSources = {
  /** Where files are uploaded to (S3). */
  uploads: string | null
  /** Where media comes from, if not from this site: a CDN, or the Worker's own origin. */
  media: readonly string[]
}

/** Environment variables with these origins; the Worker's have the same names and values. */
export type SourcesEnv = {
  S3_PUBLIC_ENDPOINT?: string
  MEDIA_BASE_URL?: string
  API_ORIGIN?: string
}

function originOf(name: string, url: string | undefined): string | null {
  if (url === undefined || url === '') return null
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new Error(`${name} is not an http or https address: see .env.example`)
  return new URL(url).origin
}

/** @throws Error naming the variable that is not a URL */
export function pageSources(env: SourcesEnv): PageSources {
  const media = [
    originOf('MEDIA_BASE_URL', env.MEDIA_BASE_URL),
    originOf('API_ORIGIN', env.API_ORIGIN),
  ]
  return {
    uploads: originOf('S3_PUBLIC_ENDPOINT', env.S3_PUBLIC_ENDPOINT),
    media: media.filter((origin) => origin !== null),
  }
}

/** `'self'` and the given origins, as a directive lists them. */
const sources = (...origins: (string | null)[]) =>
  ["'self'", ...new Set(origins.filter((origin) => origin !== null))].join(' ')

/** Sets the security headers of a page. Only scripts with the nonce run. */
export function secure(
  headers: Headers,
  requestUrl: string,
  nonce: string,
  { uploads, media }: PageSources,
): void {
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}'`,
    "style-src 'self'",
    // Sliders and progress bars use style attributes; those cannot load anything.
    "style-src-attr 'unsafe-inline'",
    `img-src ${sources(...media)}`,
    // Audio is appended to a MediaSource, whose URL is a blob of this page.
    "media-src 'self' blob:",
    `connect-src ${sources(uploads, ...media)}`,
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
  if (new URL(requestUrl).protocol === 'https:') {
    headers.set('strict-transport-security', 'max-age=31536000; includeSubDomains')
  }
}
