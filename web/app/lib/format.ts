/** Formats a position or a duration: `0:07`, `3:05`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  const hours = Math.floor(whole / 3600)
  const minutes = Math.floor((whole % 3600) / 60)
  const tail = String(whole % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}

/** Formats a duration with units, two at most: `20 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'h'],
    [Math.floor((whole % 3600) / 60), 'min'],
    [whole % 60, 's'],
  ]
  const shown = parts.filter(([amount]) => amount > 0).slice(0, 2)
  return shown.length === 0 ? '0 s' : shown.map(([amount, unit]) => `${amount} ${unit}`).join(' ')
}

/** Formats a position for screen readers: `3 minutes 5 seconds`. */
export function formatSpoken(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0
  const minutes = Math.floor(whole / 60)
  const rest = whole % 60
  const tail = `${rest} ${rest === 1 ? 'second' : 'seconds'}`
  return minutes === 0 ? tail : `${minutes} ${minutes === 1 ? 'minute' : 'minutes'} ${tail}`
}

/**
 * Formats an instant in the listener's time zone and language: `today at 21:00`,
 * `tomorrow at 01:00`, else with the date.
 *
 * @param timeZone IANA name; the browser's own unless given
 */
export function formatWhen(
  instant: string,
  now: Date,
  { locale, timeZone }: { locale?: string; timeZone?: string } = {},
): string {
  const at = new Date(instant)
  const zone = timeZone === undefined ? {} : { timeZone }
  const day = (date: Date) => date.toLocaleDateString('en-CA', zone)
  const clock = at.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', ...zone })
  if (day(at) === day(now)) return `today at ${clock}`
  if (day(at) === day(new Date(now.getTime() + 86_400_000))) return `tomorrow at ${clock}`
  const date = at.toLocaleDateString(locale, { day: 'numeric', month: 'long', ...zone })
  return `on ${date} at ${clock}`
}

const UNITS = ['B', 'kB', 'MB', 'GB'] as const

/** Formats a number of bytes in decimal units: `640 kB`, `12.3 MB`. */
export function formatBytes(bytes: number): string {
  let amount = Math.max(0, bytes)
  let unit = 0
  while (amount >= 1000 && unit < UNITS.length - 1) {
    amount /= 1000
    unit += 1
  }
  return `${unit >= 2 && amount < 100 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`
}
