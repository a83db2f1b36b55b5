import type { AppLoadContext, EntryContext } from '@remix-run/cloudflare'
import { RemixServer } from '@remix-run/react'
import { isbot } from 'isbot'
import { renderToReadableStream } from 'react-dom/server'
import { NonceContext } from './components/nonce.ts'
import { secure } from './lib/security-headers.server.ts'

export const streamTimeout = 5000

export default async function handleDocument(
  request: Request,
  statusCode: number,
  headers: Headers,
  remixContext: EntryContext,
  { nonce, sources }: AppLoadContext,
): Promise<Response> {
  let status = statusCode
  const body = await renderToReadableStream(
    <NonceContext.Provider value={nonce}>
      <RemixServer
        context={remixContext}
        url={request.url}
        nonce={nonce}
        abortDelay={streamTimeout}
      />
    </NonceContext.Provider>,
    {
      nonce,
      signal: AbortSignal.timeout(streamTimeout),
      onError: () => {
        status = 500
      },
    },
  )
  if (isbot(request.headers.get('user-agent') ?? '')) await body.allReady
  headers.set('content-type', 'text/html; charset=utf-8')
  // Pages differ by who asks, and name this response's nonce.
  if (!headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
  secure(headers, request.url, nonce, sources)
  return new Response(body, { status, headers })
}

export function handleDataRequest(response: Response): Response {
  response.headers.set('x-content-type-options', 'nosniff')
  if (!response.headers.has('cache-control')) {
    response.headers.set('cache-control', 'private, no-store')
  }
  return response
}
