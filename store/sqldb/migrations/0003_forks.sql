-- Forks. parent is the repository that one was forked from, source the first of the
-- network; 0 for none. Neither ever names one that is gone.
ALTER TABLE repositories ADD COLUMN parent BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN source BIGINT NOT NULL DEFAULT 0;
CREATE INDEX repositories_of_parent ON repositories (parent, id) WHERE parent <> 0;
CREATE INDEX repositories_of_source ON repositories (source) WHERE source <> 0;
