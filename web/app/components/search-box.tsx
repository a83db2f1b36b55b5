import { Form, Link, useFetcher } from '@remix-run/react'
import { Search } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import type { Suggestion } from '../lib/api-types.ts'
import { pathOf } from '../lib/catalogue.ts'

/** So long must nobody have typed before suggestions are asked for. */
const PAUSE_MS = 150

const TYPE_NAMES = { track: 'Track', artist: 'Artist', album: 'Album' } as const

/** The box of the search page, with suggestions below while one types. Without JavaScript it is a form. */
export function SearchBox({ text }: { text: string }) {
  const fetcher = useFetcher<{ items: Suggestion[] }>()
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const [typed, setTyped] = useState('')
  useEffect(() => () => clearTimeout(timer.current), [])
  const items = typed === '' ? [] : (fetcher.data?.items ?? [])

  function handleInput(value: string): void {
    setTyped(value.trim())
    clearTimeout(timer.current)
    if (value.trim() === '') return
    timer.current = setTimeout(
      () => fetcher.load(`/search/suggestions?q=${encodeURIComponent(value)}`),
      PAUSE_MS,
    )
  }

  return (
    <div>
      <Form action="/search" role="search" className="flex gap-2" onSubmit={() => handleInput('')}>
        <label htmlFor="q" className="sr-only">
          Search tracks, artists and albums
        </label>
        <input
          key={text}
          id="q"
          name="q"
          type="search"
          defaultValue={text}
          maxLength={200}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          placeholder="Tracks, artists, albums"
          className="field"
          onInput={(event) => handleInput(event.currentTarget.value)}
        />
        <button type="submit" className="button-lamp">
          <Search className="size-4" aria-hidden="true" /> Search
        </button>
      </Form>
      {items.length > 0 ? (
        <nav aria-label="Suggestions" className="mt-2 rounded-xl border border-edge bg-slate p-1.5">
          <ul>
            {items.map(({ type, id, title, subtitle }) => (
              <li key={id}>
                <Link
                  to={pathOf(type, id)}
                  className="flex min-h-11 items-center gap-3 rounded-lg px-3 hover:bg-edge"
                >
                  <span className="truncate">{title}</span>
                  <span className="ml-auto shrink-0 text-sm text-haze">
                    {TYPE_NAMES[type]}
                    {subtitle === null ? null : ` · ${subtitle}`}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      ) : null}
    </div>
  )
}
