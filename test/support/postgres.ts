export {
  postgresPrograms,
  startPostgres,
  withoutPostgres,
  type PostgresCluster,
} from '../../packages/engine/src/testing/postgres-cluster.ts';
