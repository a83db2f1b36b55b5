-- How many segments share a key is a property of each version from here on, and the size of each frame is
-- kept, so that a file of a rendition can be laid out to the byte without fetching a segment.
ALTER TABLE "track_versions" ADD COLUMN "segments_per_period" integer DEFAULT 3 NOT NULL;--> statement-breakpoint
ALTER TABLE "track_versions" ADD CONSTRAINT "track_versions_segments_per_period_check" CHECK ("track_versions"."segments_per_period" > 0);--> statement-breakpoint
CREATE TABLE "rendition_layouts" (
	"track_id" uuid NOT NULL,
	"version" integer NOT NULL,
	"name" text NOT NULL,
	"frame_sizes" "bytea" NOT NULL,
	"header_sizes" "bytea" NOT NULL,
	CONSTRAINT "rendition_layouts_track_id_version_name_pk" PRIMARY KEY("track_id","version","name")
);
