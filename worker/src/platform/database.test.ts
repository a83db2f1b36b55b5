import { NeonDbError } from '@neondatabase/serverless'
import { expect, test } from 'vitest'
import { readEnv } from '../env.ts'
import { ownEnv } from '../testing/own-database.ts'
import { isDatabaseUnavailable, makeJsonQuery } from './database.ts'

const { DATABASE_URL: databaseUrl, NEON_PROXY_URL: proxyUrl } = readEnv(ownEnv)
const queryJson = makeJsonQuery({ databaseUrl, proxyUrl })

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

test('a statement is answered with its one JSON value, whatever its parameters are', async () => {
  const statement = 'select json_build_array($1::text, $2::int, $3::boolean, $4::text) as answer'
  expect(await queryJson(statement, ["it's", 0, false, null])).toEqual(["it's", 0, false, null])
})

test('a statement that Postgres refuses fails with what Postgres said', async () => {
  const error = await failure(queryJson(`select to_json('many'::int)`, []))
  expect(error).toBeInstanceOf(NeonDbError)
  expect(error).toMatchObject({ code: '22P02', message: expect.stringContaining('many') })
  expect(isDatabaseUnavailable(error)).toBe(false)
})

test('a database that cannot be reached is unavailable, which is no fault of the statement', async () => {
  const closed = makeJsonQuery({ databaseUrl, proxyUrl: 'http://127.0.0.1:9' })
  expect(isDatabaseUnavailable(await failure(closed('select 1', [])))).toBe(true)
  const elsewhere = makeJsonQuery({ databaseUrl, proxyUrl: `${proxyUrl}/not` })
  expect(isDatabaseUnavailable(await failure(elsewhere('select 1', [])))).toBe(true)
})
