import { CannotMigrate, migrate } from '../migrate.ts'

const databaseUrl = process.env['DATABASE_URL']
if (!databaseUrl) {
  process.stderr.write('Set DATABASE_URL to the connection string of the database to migrate.\n')
  process.exit(1)
}
try {
  const functions = await migrate(databaseUrl)
  process.stdout.write(
    functions === 'newer'
      ? 'The schema is up to date; its functions are those of a newer MIST and were left as they are.\n'
      : 'The schema is up to date.\n',
  )
} catch (error) {
  if (!(error instanceof CannotMigrate)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
}
