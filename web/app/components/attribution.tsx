const ADDRESS = /(https:\/\/[^\s)]+)/

/** Who made a recording and under which licence, with its addresses as links. */
export function Attribution({ text }: { text: string }) {
  return text.split(ADDRESS).map((part) =>
    ADDRESS.test(part) ? (
      <a key={part} href={part} rel="license noopener" className="link break-words">
        {part.replace('https://', '').replace(/\/$/, '')}
      </a>
    ) : (
      part
    ),
  )
}
