import { expect, test } from 'vitest'
import { pageSources, secure } from './security-headers.server.ts'

function policy(env: Parameters<typeof pageSources>[0], url = 'https://music.example/') {
  const headers = new Headers()
  secure(headers, url, 'n0nce', pageSources(env))
  const text = headers.get('content-security-policy') ?? ''
  return Object.fromEntries(
    text.split('; ').map((directive): [string, string] => {
      const [name = '', ...sources] = directive.split(' ')
      return [name, sources.join(' ')]
    }),
  )
}

test('without configuration a page reaches this site and nothing else', () => {
  for (const url of ['https://music.example/', 'http://localhost:8787/']) {
    const directives = policy({}, url)
    expect(directives['connect-src']).toBe("'self'")
    expect(directives['img-src']).toBe("'self'")
  }
})

test('uploads, a CDN and the Worker are listed by origin', () => {
  const directives = policy({
    S3_PUBLIC_ENDPOINT: 'https://account.r2.cloudflarestorage.com/some/path',
    MEDIA_BASE_URL: 'https://media.music.example/mist/',
    API_ORIGIN: 'https://api.music.example',
  })
  expect(directives['connect-src']).toBe(
    "'self' https://account.r2.cloudflarestorage.com https://media.music.example https://api.music.example",
  )
  // No page shows pictures from the bucket of originals.
  expect(directives['img-src']).toBe("'self' https://media.music.example https://api.music.example")
})

test('no directive allows a whole scheme, or any host', () => {
  for (const sources of Object.values(policy({ S3_PUBLIC_ENDPOINT: 'http://127.0.0.1:9000' })))
    expect(sources).not.toMatch(/(^| )(\*|https?:|data:)( |$)/)
})

test('an invalid URL is refused by variable name, and an empty one is ignored', () => {
  expect(() => policy({ MEDIA_BASE_URL: "media.example; script-src 'unsafe-inline'" })).toThrow(
    /MEDIA_BASE_URL/,
  )
  expect(() => policy({ S3_PUBLIC_ENDPOINT: 'ftp://files.example' })).toThrow(/S3_PUBLIC_ENDPOINT/)
  expect(policy({ MEDIA_BASE_URL: '' })['img-src']).toBe("'self'")
})
