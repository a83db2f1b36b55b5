import { createRequestHandler } from '@remix-run/cloudflare-pages'
import * as build from '../build/server/index.js'
import { getLoadContext } from '../load-context.ts'

/** Every page. Static files never get here: public/_routes.json leaves them out. */
export const onRequest = createRequestHandler({ build, getLoadContext })
