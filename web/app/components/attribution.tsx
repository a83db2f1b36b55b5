const ADDRESS = /(https:\/\/[^\s)]+)/

/** A credit line: author and licence, with its URLs as links. */
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
