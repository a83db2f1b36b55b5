import { z } from 'zod'

/** As much of JSON Schema as the document uses. */
export type JsonSchema = {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  maxItems?: number
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  additionalProperties?: boolean | JsonSchema
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
}

type Content = Record<string, { schema?: JsonSchema }>

const Schema = z.custom<JsonSchema>((value) => typeof value === 'object' && value !== null)

const Operation = z.object({
  parameters: z
    .array(z.object({ name: z.string(), in: z.enum(['path', 'query']), schema: Schema }))
    .default([]),
  requestBody: z
    .object({ content: z.object({ 'application/json': z.object({ schema: Schema }) }) })
    .optional(),
  responses: z.record(z.string(), z.object({ content: z.custom<Content>().optional() })),
})

const Document = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
})

export type Operation = z.infer<typeof Operation> & { method: string; path: string }

/** Reads an OpenAPI document: its operations, and a check of what they answer. */
export function readOpenApi(document: unknown) {
  const { paths, components } = Document.parse(document)
  const operations: Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      method: method.toUpperCase(),
    })),
  )

  /** JSON Schema looks for what it refers to inside itself. */
  const standalone = (schema: JsonSchema): Parameters<typeof z.fromJSONSchema>[0] =>
    JSON.parse(
      JSON.stringify({ ...schema, $defs: components.schemas }).replaceAll(
        '#/components/schemas/',
        '#/$defs/',
      ),
    )
  const checks = new Map<JsonSchema, z.ZodType>()

  return {
    operations,

    /** The schema that a reference leads to. */
    resolve(schema: JsonSchema): JsonSchema {
      const name = schema.$ref?.split('/').at(-1)
      return name === undefined ? schema : (components.schemas[name] ?? {})
    },

    /** What is wrong with a body, by the schema that the document gives for it; null: nothing. */
    complaint(schema: JsonSchema, body: unknown): string | null {
      const check = checks.get(schema) ?? z.fromJSONSchema(standalone(schema))
      checks.set(schema, check)
      const { error } = check.safeParse(body)
      return error ? z.prettifyError(error) : null
    },
  }
}

export type OpenApi = ReturnType<typeof readOpenApi>
