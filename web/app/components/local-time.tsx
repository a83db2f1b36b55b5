import { useEffect, useState } from 'react'

const STYLE: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' }

/** An instant in the visitor's own zone and words; in UTC until the page has come to life. */
export function LocalTime({ at }: { at: string }) {
  const [text, setText] = useState(
    () => `${new Date(at).toLocaleString('en-GB', { ...STYLE, timeZone: 'UTC' })} UTC`,
  )
  useEffect(() => setText(new Date(at).toLocaleString(undefined, STYLE)), [at])
  return <time dateTime={at}>{text}</time>
}
