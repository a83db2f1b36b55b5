import { cloudflareDevProxyVitePlugin } from '@remix-run/dev'
import type { Plugin } from 'vite'
import { getLoadContext } from './load-context.ts'

/** Where `npm run dev:api` answers. */
const DEV_API_ORIGIN = 'http://127.0.0.1:8790'

/** The variables of the Pages project: the API, and where else pages may send to or read from. */
const addresses = {
  API_ORIGIN: process.env['API_ORIGIN'] || DEV_API_ORIGIN,
  S3_PUBLIC_ENDPOINT: process.env['S3_PUBLIC_ENDPOINT'] ?? '',
  MEDIA_BASE_URL: process.env['MEDIA_BASE_URL'] ?? '',
}

/**
 * What Pages and its functions do in production, for `remix vite:dev`: loaders get their context, and
 * /api goes to the Worker with the page's own host, so that its cookies belong to the page.
 */
export function devServer(): Plugin[] {
  const context = cloudflareDevProxyVitePlugin({
    getLoadContext: () => getLoadContext({ context: { cloudflare: { env: addresses } } }),
  })
  return [
    { ...context, apply: 'serve' },
    {
      name: 'mist-dev-server',
      apply: 'serve',
      config: () => ({
        // All at the start: a package that Vite only meets later reloads the page under one's hands.
        optimizeDeps: { entries: ['app/entry.client.tsx', 'app/root.tsx', 'app/routes/**/*.tsx'] },
        server: {
          host: '127.0.0.1',
          // Another port would be another origin, which the API does not know.
          strictPort: true,
          proxy: { '/api': { target: addresses.API_ORIGIN } },
        },
      }),
      configureServer(server) {
        server.middlewares.use((_request, response, next) => {
          const setHeader = response.setHeader.bind(response)
          response.setHeader = (name, value) =>
            setHeader(
              name,
              name.toLowerCase() === 'content-security-policy' ? forVite(String(value)) : value,
            )
          next()
        })
      },
    },
  ]
}

/** Vite puts style sheets into the page as elements, and says over a WebSocket what has changed. */
function forVite(policy: string): string {
  return policy
    .replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
    .replace("connect-src 'self'", "connect-src 'self' ws://localhost:* ws://127.0.0.1:*")
}
