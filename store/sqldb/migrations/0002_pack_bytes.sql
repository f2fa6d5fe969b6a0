-- A small pack and its index, while no files are made of them. A table of its own, so
-- that whoever reads the rows of packs does not wade through bytes.
CREATE TABLE pack_bytes (
    repository BIGINT    NOT NULL,
    name       {{text}}  NOT NULL,
    data       {{bytes}} NOT NULL,
    index_data {{bytes}} NOT NULL,
    PRIMARY KEY (repository, name),
    FOREIGN KEY (repository, name) REFERENCES packs (repository, name) ON DELETE CASCADE
) {{clustered}};
