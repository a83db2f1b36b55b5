import { html } from 'hono/html'
import type { makeRouter } from './router.ts'

/** An OpenAPI 3.1 document. */
export type OpenApi = ReturnType<ReturnType<typeof makeRouter>['getOpenAPI31Document']>

type PathItem = NonNullable<OpenApi['paths']>[string]
type Operation = NonNullable<PathItem['get']>

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const

const STYLE = `
  body { font: 1rem/1.5 system-ui; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
  summary { cursor: pointer; padding: .3rem 0 }
  code, pre { font: .875rem/1.5 ui-monospace, monospace }
  pre { background: #8881; overflow: auto; padding: .75rem; border-radius: .4rem }
  .method { display: inline-block; width: 4.5rem; font-weight: 600 }
  :root { color-scheme: light dark }`

const json = (value: unknown) => JSON.stringify(value, null, 2)

function operation(path: string, method: string, { summary, description, ...rest }: Operation) {
  return html`<details id="${method}-${path}">
    <summary>
      <code><span class="method">${method.toUpperCase()}</span> ${path}</code> ${summary}
    </summary>
    ${description ? html`<p>${description}</p>` : ''}
    ${
      rest.parameters
        ? html`<h4>Parameters</h4>
            <pre>${json(rest.parameters)}</pre>`
        : ''
    }
    ${
      rest.requestBody
        ? html`<h4>Body</h4>
            <pre>${json(rest.requestBody)}</pre>`
        : ''
    }
    <h4>Answers</h4>
    <pre>${json(rest.responses)}</pre>
  </details>`
}

/** Writes the document out for people: one page, no script, nothing fetched. */
export function docsPage(document: OpenApi) {
  const paths: Record<string, PathItem> = document.paths ?? {}
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const found: Operation | undefined = item[method]
      return found ? [{ path, method, operation: found }] : []
    }),
  )
  const tags = [...new Set(operations.map((entry) => entry.operation.tags?.[0] ?? 'other'))]
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${document.info.title} API</title>
        <style>
          ${STYLE}
        </style>
      </head>
      <body>
        <h1>${document.info.title} API</h1>
        <p>${document.info.description}</p>
        <p><a href="openapi.json">openapi.json</a></p>
        ${tags.map(
          (tag) =>
            html`<h2>${tag}</h2>
              ${operations
                .filter((entry) => (entry.operation.tags?.[0] ?? 'other') === tag)
                .map((entry) => operation(entry.path, entry.method, entry.operation))}`,
        )}
        <h2>Shapes</h2>
        ${Object.entries(document.components?.schemas ?? {}).map(
          ([name, schema]) =>
            html`<details id="${name}">
              <summary><code>${name}</code></summary>
              <pre>${json(schema)}</pre>
            </details>`,
        )}
      </body>
    </html>`
}
