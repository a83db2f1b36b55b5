import { useSyncExternalStore } from 'react'

const STYLE: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' }

/** Subscribes to nothing: the text changes only at hydration. */
function subscribe(): () => void {
  return () => {}
}

/** An instant in the visitor's time zone and language; in UTC until the page is hydrated. */
export function LocalTime({ at }: { at: string }) {
  const text = useSyncExternalStore(
    subscribe,
    () => new Date(at).toLocaleString(undefined, STYLE),
    () => `${new Date(at).toLocaleString('en-GB', { ...STYLE, timeZone: 'UTC' })} UTC`,
  )
  return <time dateTime={at}>{text}</time>
}
