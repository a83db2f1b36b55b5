import { createRequestHandler } from '@remix-run/cloudflare-pages'
import { isSameOrigin, refuseCrossOrigin } from '../app/lib/same-origin.server.ts'
import * as build from '../build/server/index.js'
import { getLoadContext } from '../load-context.ts'

const handle = createRequestHandler({ build, getLoadContext })

/** Every page. Static files never get here: public/_routes.json leaves them out. */
export const onRequest: typeof handle = async (context) =>
  isSameOrigin(context.request) ? handle(context) : refuseCrossOrigin(context.request)
