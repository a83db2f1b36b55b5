import { migrate } from '../migrate.ts'

const databaseUrl = process.env['DATABASE_URL']
if (!databaseUrl) {
  process.stderr.write('Set DATABASE_URL to the connection string of the database to migrate.\n')
  process.exit(1)
}
await migrate(databaseUrl)
process.stdout.write('The schema is up to date.\n')
