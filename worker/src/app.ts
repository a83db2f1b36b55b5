import type { OpenAPIHono } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { secureHeaders } from 'hono/secure-headers'
import type { AppEnv } from './app-env.ts'
import type { Deps } from './deps.ts'
import { renderProblem } from './middleware/render-problem.ts'
import { requestLog } from './middleware/request-log.ts'
import { Problem } from './problem.ts'
import { adminRoutes } from './routes/admin.ts'
import { albumRoutes, genreRoutes } from './routes/albums.ts'
import { artistRoutes } from './routes/artists.ts'
import { authRoutes } from './routes/auth.ts'
import { creditRoutes } from './routes/credits.ts'
import { docsRoutes, OPENAPI } from './routes/docs.ts'
import { hlsRoutes } from './routes/hls.ts'
import { jobRoutes } from './routes/jobs.ts'
import { keyRoutes } from './routes/keys.ts'
import { listeningSessionRoutes } from './routes/listening-sessions.ts'
import { lyricsRoutes } from './routes/lyrics.ts'
import { meRoutes } from './routes/me.ts'
import { mediaRoutes } from './routes/media.ts'
import { quotaRoutes } from './routes/quota.ts'
import { makeRouter } from './routes/router.ts'
import { documentSharedRefusals } from './routes/shared-refusals.ts'
import { searchRoutes } from './routes/search.ts'
import { trackAdminRoutes, trackRoutes } from './routes/tracks.ts'
import { uploadRoutes } from './routes/uploads.ts'

/** Largest JSON body: the completion of an upload of 10,000 parts. */
const MAX_BODY_BYTES = 1_000_000

/** The API, `/api/v1`: its table of contents. */
export function makeApp(deps: Deps): OpenAPIHono<AppEnv> {
  const app = makeRouter()

  app.use(async (c, next) => {
    c.set('deps', deps)
    await next()
    // What may be kept says so itself.
    // Not c.header(): after the answer is made that copies the whole Response.
    if (!c.res.headers.has('cache-control')) c.res.headers.set('cache-control', 'no-store')
  })
  app.use(requestLog)
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'unsafe-inline'"],
        frameAncestors: ["'none'"],
      },
      // Covers and segments are for other origins' pages, too: a web app beside the API, a TV.
      crossOriginResourcePolicy: 'cross-origin',
      xFrameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      // For documents, and for browsers that are gone.
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      xXssProtection: false,
    }),
  )
  app.use('/api/v1/*', (c, next) => {
    // A browser names its page's origin wherever CORS matters; without one there is nothing to allow.
    if (c.req.header('origin') === undefined || c.req.path.startsWith('/api/v1/media/'))
      return next()
    return allowWebOrigins(c, next)
  })
  app.on(
    ['POST', 'PUT', 'PATCH', 'DELETE'],
    '*',
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new Problem(
          'body-too-large',
          'A request to this API has at most 1 MB. Files go to S3.',
        )
      },
    }),
  )

  const allowWebOrigins = cors({
    origin: (origin) => (deps.webOrigins.has(origin) ? origin : null),
    credentials: true,
    allowHeaders: ['authorization', 'content-type', 'x-request-id'],
    exposeHeaders: ['x-request-id', 'retry-after', 'ratelimit', 'ratelimit-policy'],
    maxAge: 7200,
  })

  app.onError(renderProblem)
  app.notFound((c) =>
    renderProblem(new Problem('not-found', 'There is nothing at this address.'), c),
  )

  app
    .route('/api/v1/auth', authRoutes)
    .route('/api/v1/tracks', trackRoutes)
    .route('/api/v1/tracks', trackAdminRoutes)
    .route('/api/v1/tracks', hlsRoutes)
    .route('/api/v1/tracks', lyricsRoutes)
    .route('/api/v1/artists', artistRoutes)
    .route('/api/v1/albums', albumRoutes)
    .route('/api/v1/genres', genreRoutes)
    .route('/api/v1/search', searchRoutes)
    .route('/api/v1/credits', creditRoutes)
    .route('/api/v1/keys', keyRoutes)
    .route('/api/v1/listening-sessions', listeningSessionRoutes)
    .route('/api/v1/quota', quotaRoutes)
    .route('/api/v1/me', meRoutes)
    .route('/api/v1/uploads', uploadRoutes)
    .route('/api/v1/jobs', jobRoutes)
    .route('/api/v1/admin', adminRoutes)
    .route('/api/v1/media', mediaRoutes)
    .route(
      '/api/v1',
      docsRoutes(() => app.getOpenAPI31Document(OPENAPI)),
    )
  documentSharedRefusals(app)
  return app
}
