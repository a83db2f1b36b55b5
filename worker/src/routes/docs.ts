import { PROBLEMS, type ProblemCode } from '@mist/db/contract'
import { Hono } from 'hono'
import { html } from 'hono/html'
import type { AppEnv } from '../app-env.ts'
import { Problem } from '../problem.ts'
import { docsPage, type OpenApi } from './docs-page.ts'

/** What the OpenAPI document says about the API as a whole. */
export const OPENAPI = {
  openapi: '3.1.0',
  info: {
    title: 'MIST',
    version: '1.0.0',
    description:
      'Durations are seconds, bitrates bits per second, loudness LUFS, times RFC 3339 UTC. ' +
      'Refusals are application/problem+json (RFC 9457).',
  },
}

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code)

/** The document, its readable form, and a page for each kind of refusal. */
export function docsRoutes(makeDocument: () => OpenApi): Hono<AppEnv> {
  // Making it takes some milliseconds, and it never changes while the code runs.
  let made: OpenApi | undefined
  const openApi = () => (made ??= makeDocument())

  return new Hono<AppEnv>()
    .get('/openapi.json', (c) => c.json(openApi(), 200, { 'cache-control': 'public, max-age=300' }))
    .get('/docs', (c) => c.html(docsPage(openApi())))
    .get('/problems/:code', (c) => {
      const code = c.req.param('code')
      if (!isProblemCode(code)) throw new Problem('not-found', 'There is no such kind of refusal.')
      const { status, title } = PROBLEMS[code]
      if (c.req.header('accept')?.includes('text/html') !== true)
        return c.json({ code, status, title })
      return c.html(
        html`<!doctype html>
          <html lang="en">
            <head>
              <meta charset="utf-8" />
              <title>${title}</title>
            </head>
            <body style="font: 1rem/1.5 system-ui; margin: 3rem auto; max-width: 40rem">
              <h1>${title}</h1>
              <p>
                <code>${code}</code>, HTTP status ${status}. The <code>detail</code> of the answer
                says what to do.
              </p>
            </body>
          </html>`,
      )
    })
}
