import { useSyncExternalStore } from 'react'

const STYLE: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' }

/** Nothing changes once the page has come to life. */
function never(): () => void {
  return () => {}
}

/** An instant in the visitor's own zone and words; in UTC until the page has come to life. */
export function LocalTime({ at }: { at: string }) {
  const text = useSyncExternalStore(
    never,
    () => new Date(at).toLocaleString(undefined, STYLE),
    () => `${new Date(at).toLocaleString('en-GB', { ...STYLE, timeZone: 'UTC' })} UTC`,
  )
  return <time dateTime={at}>{text}</time>
}
