import { createRoute } from '@hono/zod-openapi'
import { FamilyId } from '@mist/db/contract'
import { z } from 'zod'
import {
  AuthSession,
  AuthTokens,
  Login,
  PasswordChange,
  RefreshBody,
  Registration,
  User,
} from '../contract/accounts.ts'
import {
  clearAuthCookies,
  ownPagesOnly,
  refreshCookie,
  requireListener,
  setAuthCookies,
  readCredentials,
} from '../middleware/credentials.ts'
import { visitorOf, networkOfRequest } from '../middleware/network.ts'
import { rateLimit } from '../middleware/rate-limit.ts'
import { answers, makeRouter, mayTake, refusals, takes } from './router.ts'

const tags = ['auth']
const noBody = { description: 'Done.' }

export const authRoutes = makeRouter()
  .openapi(
    createRoute({
      method: 'post',
      path: '/register',
      tags,
      summary: 'Make an account and sign in',
      middleware: [rateLimit('auth'), ownPagesOnly],
      request: { body: takes(Registration) },
      responses: {
        201: answers('The account and the tokens of its first session.', AuthTokens),
        ...refusals('email-taken', 'username-taken', 'validation-failed', 'rate-limited'),
      },
    }),
    async (c) => {
      const { deps } = c.var
      const issued = await deps.accounts.register(c.req.valid('json'), visitorOf(c))
      setAuthCookies(c, issued)
      return c.json(issued, 201)
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/login',
      tags,
      summary: 'Sign in with e-mail and password',
      middleware: [rateLimit('auth'), ownPagesOnly],
      request: { body: takes(Login) },
      responses: {
        200: answers('A new session.', AuthTokens),
        ...refusals('invalid-credentials', 'account-blocked', 'validation-failed', 'rate-limited'),
      },
    }),
    async (c) => {
      const { deps } = c.var
      const issued = await deps.authSessions.login(
        c.req.valid('json'),
        visitorOf(c),
        refreshCookie(c),
      )
      setAuthCookies(c, issued)
      return c.json(issued, 200)
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/refresh',
      tags,
      summary: 'Exchange a refresh token for new tokens',
      middleware: [rateLimit('auth'), ownPagesOnly],
      request: { body: mayTake(RefreshBody) },
      responses: {
        200: answers(
          'New tokens. The old refresh token is used up; should this answer be lost, it may come ' +
            'again within 30 s and gets the same refresh token.',
          AuthTokens,
        ),
        ...refusals('refresh-invalid', 'refresh-reused', 'account-blocked', 'rate-limited'),
      },
    }),
    async (c) => {
      const { refreshToken } = c.req.valid('json')
      const cookie = refreshCookie(c)
      try {
        const issued = await c.var.deps.authSessions.refresh(refreshToken ?? cookie)
        setAuthCookies(c, issued)
        return c.json(issued, 200)
      } catch (error) {
        // A browser whose session has ended should stop trying.
        if (refreshToken === undefined && cookie !== undefined && hasEnded(error))
          clearAuthCookies(c)
        throw error
      }
    },
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/logout',
      tags,
      summary: 'Sign out; this session and its listening end',
      middleware: [ownPagesOnly],
      request: { body: mayTake(RefreshBody) },
      responses: { 204: noBody, ...refusals('origin-refused') },
    }),
    async (c) => {
      const { refreshToken } = c.req.valid('json')
      const refreshTokens = [refreshToken, refreshCookie(c)].filter((token) => token !== undefined)
      await c.var.deps.authSessions.logout(await readCredentials(c), refreshTokens)
      clearAuthCookies(c)
      return c.body(null, 204)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/me',
      tags,
      summary: 'The account that is signed in',
      middleware: [requireListener],
      responses: {
        200: answers('The account.', z.object({ user: User })),
        ...refusals('signed-out', 'account-blocked'),
      },
    }),
    async (c) => c.json({ user: await c.var.deps.accounts.me(c.var.listener) }, 200),
  )
  .openapi(
    createRoute({
      method: 'post',
      path: '/password',
      tags,
      summary: 'Change the password; all other sessions end',
      middleware: [rateLimit('auth'), requireListener],
      request: { body: takes(PasswordChange) },
      responses: {
        204: noBody,
        ...refusals(
          'signed-out',
          'invalid-credentials',
          'account-blocked',
          'validation-failed',
          'rate-limited',
        ),
      },
    }),
    async (c) => {
      await c.var.deps.accounts.changePassword(
        c.var.listener,
        c.req.valid('json'),
        networkOfRequest(c),
      )
      return c.body(null, 204)
    },
  )
  .openapi(
    createRoute({
      method: 'get',
      path: '/sessions',
      tags,
      summary: 'Sessions: one for each sign-in on one device',
      middleware: [requireListener],
      responses: {
        200: answers('The last used first.', z.object({ items: z.array(AuthSession) })),
        ...refusals('signed-out', 'account-blocked'),
      },
    }),
    async (c) => c.json({ items: await c.var.deps.authSessions.list(c.var.listener) }, 200),
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/sessions',
      tags,
      summary: 'End all other sessions',
      middleware: [requireListener],
      responses: { 204: noBody, ...refusals('signed-out', 'account-blocked', 'origin-refused') },
    }),
    async (c) => {
      await c.var.deps.authSessions.revokeOthers(c.var.listener)
      return c.body(null, 204)
    },
  )
  .openapi(
    createRoute({
      method: 'delete',
      path: '/sessions/{id}',
      tags,
      summary: 'End one session',
      middleware: [requireListener],
      request: { params: z.object({ id: FamilyId }) },
      responses: {
        204: noBody,
        ...refusals('signed-out', 'account-blocked', 'origin-refused', 'not-found'),
      },
    }),
    async (c) => {
      await c.var.deps.authSessions.revoke(c.var.listener, c.req.valid('param').id)
      return c.body(null, 204)
    },
  )

function hasEnded(error: unknown): boolean {
  return error instanceof Error && /^(refresh-|account-blocked)/.test(error.message)
}
