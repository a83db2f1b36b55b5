CREATE EXTENSION IF NOT EXISTS vector;--> statement-breakpoint
CREATE TABLE "track_embeddings" (
	"track_id" uuid PRIMARY KEY NOT NULL,
	"embedding_version" integer NOT NULL,
	"embedding" vector(40) NOT NULL
);
--> statement-breakpoint
ALTER TABLE "track_embeddings" ADD CONSTRAINT "track_embeddings_track_id_tracks_id_fk" FOREIGN KEY ("track_id") REFERENCES "public"."tracks"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "track_embeddings_cosine_idx" ON "track_embeddings" USING hnsw ("embedding" vector_cosine_ops);