CREATE INDEX "albums_by_title_idx" ON "albums" USING btree (left(fold_v1(title), 60) collate "C","id");--> statement-breakpoint
CREATE INDEX "albums_newest_idx" ON "albums" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "artists_by_name_idx" ON "artists" USING btree (left(fold_v1(coalesce(sort_name, name)), 60) collate "C","id");--> statement-breakpoint
CREATE INDEX "artists_newest_idx" ON "artists" USING btree ("created_at" DESC NULLS LAST,"id" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "tracks_by_title_idx" ON "tracks" USING btree (left(fold_v1(title), 60) collate "C","id") WHERE published_at is not null and deleted_at is null;--> statement-breakpoint
CREATE INDEX "tracks_key_idx" ON "tracks" USING btree (((features->'key'->>'tonic') || ' ' || (features->'key'->>'mode')),"created_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE published_at is not null and deleted_at is null;