import { createRequestHandler } from '@remix-run/cloudflare-pages'
import { isFromOwnPage, refuseForeignPage } from '../app/lib/own-page.server.ts'
import * as build from '../build/server/index.js'
import { getLoadContext } from '../load-context.ts'

const handle = createRequestHandler({ build, getLoadContext })

/** Every page. Static files never get here: public/_routes.json leaves them out. */
export const onRequest: typeof handle = async (context) =>
  isFromOwnPage(context.request) ? handle(context) : refuseForeignPage(context.request)
