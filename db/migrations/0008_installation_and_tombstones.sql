-- Who this database is. The owner mark of a bucket names the same id, so does INSTALLATION_ID; objects
-- are deleted only where all three agree. A copy of the database bears the id of its origin.
CREATE TABLE "installation" (
	"singleton" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"claimed_at" timestamp with time zone,
	"mark_tokens" text[] DEFAULT '{}' NOT NULL,
	CONSTRAINT "installation_singleton_check" CHECK ("installation"."singleton")
);
--> statement-breakpoint
INSERT INTO "installation" DEFAULT VALUES;--> statement-breakpoint
CREATE TABLE "tombstones" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"bucket" text NOT NULL,
	"key" text NOT NULL,
	"is_prefix" boolean DEFAULT false NOT NULL,
	"multipart_id" text,
	"reason" text NOT NULL,
	"track_id" uuid,
	"version" integer,
	"upload_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"not_before" timestamp with time zone DEFAULT now() NOT NULL,
	"purged_at" timestamp with time zone,
	"objects" integer DEFAULT 0 NOT NULL,
	"failure" text,
	CONSTRAINT "tombstones_bucket_check" CHECK ("tombstones"."bucket" in ('media', 'originals')),
	CONSTRAINT "tombstones_reason_check" CHECK ("tombstones"."reason" in ('track-deleted', 'version-retired', 'run-dead', 'upload-abandoned')),
	CONSTRAINT "tombstones_prefix_check" CHECK (not "tombstones"."is_prefix" or "tombstones"."key" ~ '^tracks/[0-9a-f-]{36}/([1-9][0-9]*/)?$')
);
--> statement-breakpoint
CREATE UNIQUE INDEX "tombstones_open_key" ON "tombstones" USING btree ("bucket","key") WHERE purged_at is null;--> statement-breakpoint
CREATE INDEX "tombstones_due_idx" ON "tombstones" USING btree ("not_before") WHERE purged_at is null;--> statement-breakpoint
ALTER TABLE "tracks" ADD COLUMN "purged_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "abandoned_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "etag" text;--> statement-breakpoint
ALTER TABLE "track_versions" DROP CONSTRAINT "track_versions_status_check";--> statement-breakpoint
ALTER TABLE "track_versions" ADD CONSTRAINT "track_versions_status_check" CHECK ("track_versions"."status" in ('building', 'published', 'retired', 'dead'));--> statement-breakpoint
CREATE INDEX "tracks_deleted_idx" ON "tracks" USING btree ("deleted_at") WHERE deleted_at is not null;--> statement-breakpoint
CREATE INDEX "tombstones_purged_idx" ON "tombstones" USING btree ("purged_at") WHERE purged_at is not null;--> statement-breakpoint
CREATE INDEX "tracks_credits_idx" ON "tracks" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE attribution is not null and published_at is not null and deleted_at is null;
