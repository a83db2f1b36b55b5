import fc from 'fast-check'
import type { Callers } from '../callers.ts'
import { hostileHeader, hostileId, hostileNumber, hostileValue } from './hostile.ts'
import type { JsonSchema, OpenApi } from './openapi-document.ts'

/** Plausible text for what a schema alone does not tell. */
const WORDS: Record<string, fc.Arbitrary<unknown>> = {
  email: fc.oneof(
    fc.uuid().map((id) => `${id}@example.test`),
    fc.emailAddress(),
  ),
  username: fc.uuid().map((id) => id.slice(0, 20)),
  password: fc.string({ minLength: 12, maxLength: 60 }),
  newPassword: fc.string({ minLength: 12, maxLength: 60 }),
  filename: fc.constantFrom('one.flac', 'two.mp3', '\u00dcn\u00efcode \u202e.wav', '/a\\b.M4A'),
  contentType: fc.constantFrom('audio/flac', 'audio/mpeg', '', 'AUDIO/WAV; a=b', 'x/y;z="\t"'),
  from: fc.constantFrom(0, 1, 44, 45, 2 ** 31 - 1),
  positionS: fc.constantFrom(0, 0.0004, 5e-324, 11.9995, 12),
}

/** What ends in a header is broken by more than other text. */
const IN_HEADERS = new Set(['contentType', 'etag'])

function numberOf({ minimum = 0, maximum = 2 ** 31 }: JsonSchema) {
  const max = Math.min(maximum, Number.MAX_SAFE_INTEGER)
  return fc.oneof(fc.constantFrom(minimum, max), fc.integer({ min: minimum, max }))
}

const propertiesOf = (schema: JsonSchema) => Object.entries(schema.properties ?? {})

const lineOf = (length: number) => 'x'.repeat(Math.max(0, length))

/** Values by the schemas of a document. */
export function valuesOf(openApi: OpenApi, callers: Callers) {
  function textOf({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema) {
    if (format === 'uuid') return fc.constantFrom(...Object.values(callers.things))
    if (pattern !== undefined)
      try {
        return fc.stringMatching(new RegExp(pattern))
      } catch {
        // A pattern that it can't read: any text will do.
      }
    return fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 300)) })
  }

  /** Values that the schema allows. */
  function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
    const found = openApi.resolve(schema)
    const variants = found.anyOf ?? found.oneOf
    if (variants) return fc.oneof(...variants.map(valid))
    if (found.enum) return fc.constantFrom(...found.enum)
    const types = [found.type].flat()
    if (types.includes('object')) {
      const properties = propertiesOf(found).map(([name, each]) => [
        name,
        WORDS[name] ?? valid(each),
      ])
      const values: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(properties)
      return fc.record(values, {
        requiredKeys: found.required ?? [],
      })
    }
    if (types.includes('array'))
      return fc.array(valid(found.items ?? {}), { maxLength: Math.min(found.maxItems ?? 5, 25) })
    if (types.includes('integer') || types.includes('number')) return numberOf(found)
    return types.includes('boolean') ? fc.boolean() : textOf(found)
  }

  /** Values beside a schema: at its edges, of another kind, of no one. */
  function any(schema: JsonSchema): fc.Arbitrary<unknown> {
    const {
      format,
      type,
      items,
      minimum = 0,
      maximum = 2 ** 31,
      minLength = 0,
      maxLength,
    } = openApi.resolve(schema)
    if (format === 'uuid') return fc.oneof(hostileId, hostileValue, textOf({ format }))
    if (type === 'array')
      return fc.oneof(hostileValue, fc.array(any(items ?? {}), { minLength: 1, maxLength: 30 }))
    if (type === 'integer' || type === 'number')
      return fc.oneof(
        hostileNumber,
        fc.constantFrom(minimum - 1, maximum + 1, maximum),
        hostileValue,
      )
    if (type === 'string' && maxLength !== undefined)
      return fc.oneof(
        {
          weight: 1,
          arbitrary: fc.constantFrom(...[minLength - 1, maxLength, maxLength + 1].map(lineOf)),
        },
        { weight: 4, arbitrary: hostileValue },
      )
    return hostileValue
  }

  function wrongFor(name: string, schema: JsonSchema): fc.Arbitrary<unknown> {
    if (IN_HEADERS.has(name)) return fc.oneof(hostileHeader, any(schema))
    return schema.type === 'object' ? body(schema) : any(schema)
  }

  /** A body: as asked for, with one thing wrong at any depth, with more than one, or another kind. */
  function body(schema: JsonSchema): fc.Arbitrary<unknown> {
    const found = openApi.resolve(schema)
    const properties = propertiesOf(found)
    const oneWrong = fc.oneof(
      ...properties.map(([name, each]) =>
        fc
          .tuple(valid(found), wrongFor(name, each))
          .map(([whole, wrong]) => Object.assign({}, whole, { [name]: wrong })),
      ),
    )
    const odd = fc.record(
      Object.fromEntries([
        ...properties.map(([name, each]) => [name, any(each)]),
        ['more', hostileValue],
      ]),
      { requiredKeys: [] },
    )
    return fc.oneof(
      { weight: 5, arbitrary: valid(found) },
      { weight: 6, arbitrary: properties.length > 0 ? oneWrong : hostileValue },
      { weight: 2, arbitrary: odd },
      { weight: 1, arbitrary: hostileValue },
    )
  }

  return { valid, any, body }
}
