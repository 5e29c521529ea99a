/** The tables of the store database, schema version 10: the same as the reference's, so that both can use one store in turn. */

/** Version in the file `schema`. */
export const schemaVersion = 10;

/** Statements that make an empty database. */
export const schema = `
create table if not exists ValidPaths (
    id               integer primary key autoincrement not null,
    path             text unique not null,
    hash             text not null,
    registrationTime integer not null,
    deriver          text,
    narSize          integer,
    ultimate         integer,
    sigs             text,
    ca               text
);
create table if not exists Refs (
    referrer  integer not null,
    reference integer not null,
    primary key (referrer, reference),
    foreign key (referrer) references ValidPaths(id) on delete cascade,
    foreign key (reference) references ValidPaths(id) on delete restrict
);
create index if not exists IndexReferrer on Refs(referrer);
create index if not exists IndexReference on Refs(reference);
create trigger if not exists DeleteSelfRefs before delete on ValidPaths
  begin
    delete from Refs where referrer = old.id and reference = old.id;
  end;
create table if not exists DerivationOutputs (
    drv  integer not null,
    id   text not null,
    path text not null,
    primary key (drv, id),
    foreign key (drv) references ValidPaths(id) on delete cascade
);
create index if not exists IndexDerivationOutputs on DerivationOutputs(path);
`;

/** The oldest version that can be brought up to this one. */
export const oldestVersion = 6;

/** Columns of `ValidPaths` that came later: two with version 8, the last with version 10. */
export const laterColumns = [
  { name: "ultimate", type: "integer" },
  { name: "sigs", type: "text" },
  { name: "ca", type: "text" },
] as const;

/** Statement that deletes what version 9 has no more. */
export const dropOldTables = "drop table if exists FailedPaths";

/** Statement run in every database, also in older ones. */
export const migrations = "create table if not exists SchemaMigrations (migration text primary key not null);";

/** Name and statements of the migration that content-addressed derivations need. */
export const realisationsMigration = {
  name: "20220326-ca-derivations",
  statements: `
create table if not exists Realisations (
    id integer primary key autoincrement not null,
    drvPath text not null,
    outputName text not null,
    outputPath integer not null,
    signatures text,
    foreign key (outputPath) references ValidPaths(id) on delete cascade
);
create index if not exists IndexRealisations on Realisations(drvPath, outputName);
create trigger if not exists DeleteSelfRefsViaRealisations before delete on ValidPaths
  begin
    delete from RealisationsRefs where realisationReference in (
      select id from Realisations where outputPath = old.id
    );
  end;
create table if not exists RealisationsRefs (
    referrer integer not null,
    realisationReference integer,
    foreign key (referrer) references Realisations(id) on delete cascade,
    foreign key (realisationReference) references Realisations(id) on delete restrict
);
create index if not exists IndexRealisationsRefsRealisationReference on RealisationsRefs(realisationReference);
create index if not exists IndexRealisationsRefs on RealisationsRefs(referrer);
create index if not exists IndexRealisationsRefsOnOutputPath on Realisations(outputPath);
`,
};
