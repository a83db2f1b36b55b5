import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { dirname } from 'node:path'

/** Writes a benchmark's report as JSON beside what is needed to judge it: machine, versions, time. */
export async function writeReport(file: string, body: Record<string, unknown>): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
  }
  const report = { at: new Date().toISOString(), machine, ...body }
  await writeFile(file, `${JSON.stringify(report, null, 2)}\n`)
  console.log(`\nreport: ${file}`)
}

/** Prints rows as a table with right-aligned columns; the first column is left-aligned. */
export function printTable(header: string[], rows: (string | number)[][]): void {
  const cells = [header, ...rows.map((row) => row.map(String))]
  const widths = header.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  )
  for (const [index, row] of cells.entries()) {
    console.log(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join('  '),
    )
    if (index === 0) console.log(widths.map((width) => '-'.repeat(width)).join('  '))
  }
}
