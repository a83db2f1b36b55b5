import {
  fromNodeRequest,
  toNodeRequest as sendByNode,
} from '@remix-run/dev/dist/vite/node-adapter.js'
import { createRequestHandler, type ServerBuild } from '@remix-run/server-runtime'
import type { Plugin } from 'vite'
import { getLoadContext } from './load-context.ts'

/** Where `npm run dev:api` answers. */
const DEV_API_ORIGIN = 'http://127.0.0.1:8790'

/** The variables of the Pages project: the API, and where else pages may send to or read from. */
const env = {
  API_ORIGIN: process.env['API_ORIGIN'] || DEV_API_ORIGIN,
  S3_PUBLIC_ENDPOINT: process.env['S3_PUBLIC_ENDPOINT'] ?? '',
  MEDIA_BASE_URL: process.env['MEDIA_BASE_URL'] ?? '',
}

/**
 * What Pages and its functions do in production, for `remix vite:dev`: pages get our load context, and
 * /api goes to the Worker with the page's own host, so that its cookies belong to the page.
 *
 * Remix's own plugin for this (`cloudflareDevProxyVitePlugin`) starts wrangler and a workerd for the
 * bindings of web/wrangler.toml, of which there would be none to use: the API is a process of its own.
 */
export function devServer(): Plugin {
  return {
    name: 'mist-dev-server',
    apply: 'serve',
    config: () => ({
      // All at the start: a package that Vite only meets later reloads the page under one's hands.
      optimizeDeps: { entries: ['app/entry.client.tsx', 'app/root.tsx', 'app/routes/**/*.tsx'] },
      // React's renderer for workerd, which our document needs, runs in Node, too.
      ssr: { resolve: { externalConditions: ['workerd', 'worker'] } },
      server: {
        host: '127.0.0.1',
        // Another port would be another origin, which the API does not know.
        strictPort: true,
        proxy: { '/api': { target: env.API_ORIGIN } },
      },
    }),
    configureServer(server) {
      // After Vite's own middlewares, which serve files, and before Remix's, which has no context.
      return () => {
        server.middlewares.use((nodeRequest, nodeResponse, next) => {
          void (async () => {
            try {
              const build = await server.ssrLoadModule('virtual:remix/server-build')
              // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what Remix's module is
              const handle = createRequestHandler(build as unknown as ServerBuild, 'development')
              const request = fromNodeRequest(nodeRequest, nodeResponse)
              const context = getLoadContext({ context: { cloudflare: { env } } })
              await sendByNode(forVite(await handle(request, context)), nodeResponse)
            } catch (error) {
              next(error)
            }
          })()
        })
      }
    },
  }
}

/** Vite puts style sheets into the page as elements, and says over a WebSocket what has changed. */
function forVite(response: Response): Response {
  const policy = response.headers.get('content-security-policy')
  if (policy !== null)
    response.headers.set(
      'content-security-policy',
      policy
        .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
        .replace("connect-src 'self'", "connect-src 'self' ws://localhost:* ws://127.0.0.1:*"),
    )
  return response
}
