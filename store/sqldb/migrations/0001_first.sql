-- Words in double braces are the dialect's. Times are microseconds since 1970,
-- 0 for none; object ids are raw bytes, NULL for none. A column that ends in
-- _key holds a name as forge.Fold makes it.

CREATE TABLE users (
    id            {{id}},
    login         {{text}} NOT NULL,
    login_key     {{text}} NOT NULL UNIQUE,
    name          {{text}} NOT NULL,
    email         {{text}} NOT NULL,
    email_key     {{text}} UNIQUE, -- NULL where there is none
    password_hash {{text}} NOT NULL,
    admin         BOOLEAN  NOT NULL,
    suspended     BOOLEAN  NOT NULL,
    created       BIGINT   NOT NULL,
    updated       BIGINT   NOT NULL
);

CREATE TABLE tokens (
    id         {{id}},
    user_id    BIGINT    NOT NULL REFERENCES users (id),
    hash       {{bytes}} NOT NULL UNIQUE,
    session    BOOLEAN   NOT NULL,
    name       {{text}}  NOT NULL,
    scopes     {{text}}  NOT NULL,
    only_repository BIGINT NOT NULL, -- 0: all; its repository may be gone
    hint       {{text}}  NOT NULL,
    created    BIGINT    NOT NULL,
    expires    BIGINT    NOT NULL,
    used       BIGINT    NOT NULL
);
CREATE INDEX tokens_of_user ON tokens (user_id, session, id);

CREATE TABLE keys (
    id          {{id}},
    user_id     BIGINT   NOT NULL REFERENCES users (id),
    title       {{text}} NOT NULL,
    authorized  {{text}} NOT NULL,
    fingerprint {{text}} NOT NULL UNIQUE,
    created     BIGINT   NOT NULL,
    used        BIGINT   NOT NULL
);
CREATE INDEX keys_of_user ON keys (user_id, id);

CREATE TABLE secrets (
    name  {{text}}  PRIMARY KEY,
    value {{bytes}} NOT NULL
);

-- One row is both the description of a repository and the cell that a commit
-- compares and swaps.
CREATE TABLE repositories (
    id          {{id}},
    owner_id    BIGINT   NOT NULL REFERENCES users (id),
    name        {{text}} NOT NULL,
    name_key    {{text}} NOT NULL,
    description {{text}} NOT NULL,
    private     BOOLEAN  NOT NULL,
    archived    BOOLEAN  NOT NULL,
    created     BIGINT   NOT NULL,
    updated     BIGINT   NOT NULL,
    format      SMALLINT NOT NULL, -- git.Format
    version     BIGINT   NOT NULL,
    dropped     BIGINT   NOT NULL, -- the last version that dropped a pack; 0 if none
    head        {{text}} NOT NULL,
    pushed      BIGINT   NOT NULL, -- when a ref last moved
    bytes       BIGINT   NOT NULL, -- of all packs
    UNIQUE (owner_id, name_key)
);
CREATE INDEX repositories_of_owner ON repositories (owner_id, id);

CREATE TABLE collaborators (
    repository BIGINT   NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    user_id    BIGINT   NOT NULL REFERENCES users (id),
    role       SMALLINT NOT NULL, -- forge.Role
    PRIMARY KEY (repository, user_id)
) {{clustered}};
CREATE INDEX collaborators_of_user ON collaborators (user_id, repository);

CREATE TABLE refs (
    repository BIGINT    NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    name       {{text}}  NOT NULL,
    target     {{bytes}} NOT NULL,
    peeled     {{bytes}},
    PRIMARY KEY (repository, name)
) {{clustered}};

-- seq is the version of the commit times 2^24 plus the place in it, so that one
-- order serves the log, and what moved since a version.
CREATE TABLE ref_log (
    repository BIGINT    NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    seq        BIGINT    NOT NULL,
    ref        {{text}}  NOT NULL,
    old_target {{bytes}},
    new_target {{bytes}},
    who        {{text}}  NOT NULL,
    why        {{text}}  NOT NULL,
    time       BIGINT    NOT NULL,
    PRIMARY KEY (repository, seq)
) {{clustered}};
CREATE INDEX ref_log_of_ref ON ref_log (repository, ref, seq);

-- seq is made as that of ref_log: the order in which packs were added.
CREATE TABLE packs (
    repository BIGINT    NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    seq        BIGINT    NOT NULL,
    name       {{text}}  NOT NULL,
    bytes      BIGINT    NOT NULL,
    objects    BIGINT    NOT NULL,
    checksum   {{bytes}} NOT NULL,
    added      BIGINT    NOT NULL,
    PRIMARY KEY (repository, seq)
) {{clustered}};
CREATE UNIQUE INDEX packs_by_name ON packs (name, repository);

-- When a repository last ceased to have a pack of that name; for repo.MaxGrace.
CREATE TABLE dropped_packs (
    name    {{text}} PRIMARY KEY,
    dropped BIGINT   NOT NULL
);
CREATE INDEX dropped_packs_by_time ON dropped_packs (dropped);

-- Events outlive their repository, so there is no reference to it.
CREATE TABLE events (
    seq        {{sequence}},
    repository BIGINT    NOT NULL,
    kind       {{text}}  NOT NULL,
    payload    {{bytes}} NOT NULL,
    time       BIGINT    NOT NULL
);
CREATE INDEX events_of_repository ON events (repository, seq);
