/** The logo: a lamp seen through three bands of fog. */
export function Wordmark() {
  return (
    <span className="flex items-center gap-2.5">
      <svg viewBox="0 0 32 32" className="size-8" aria-hidden="true">
        <circle cx="20" cy="12" r="6.5" className="fill-lamp" />
        <g className="stroke-fog" strokeWidth="2.2" strokeLinecap="round">
          <path d="M3 17.5h17" />
          <path d="M8 22h20" opacity=".7" />
          <path d="M5 26.5h14" opacity=".4" />
        </g>
      </svg>
      <span className="font-serif text-2xl leading-none tracking-tight italic">mist</span>
    </span>
  )
}
