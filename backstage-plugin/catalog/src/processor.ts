import {
  getCompoundEntityRef,
  RELATION_DEPENDENCY_OF,
  RELATION_DEPENDS_ON,
  type CompoundEntityRef,
  type Entity,
} from '@backstage/catalog-model';
import { processingResult, type CatalogProcessor, type CatalogProcessorEmit, type LocationSpec } from '@backstage/plugin-catalog-node';
import { deploymentAnnotation, entityNameOf } from './annotations.ts';

/** Relates what says `paceline.dev/deployment` to the deployment that it is run by. */
export class DeploymentProcessor implements CatalogProcessor {
  getProcessorName(): string {
    return 'PacelineDeploymentProcessor';
  }

  async postProcessEntity(entity: Entity, _location: LocationSpec, emit: CatalogProcessorEmit): Promise<Entity> {
    const deployment = entity.metadata.annotations?.[deploymentAnnotation];
    if (deployment === undefined) return entity;
    const source = getCompoundEntityRef(entity);
    const target: CompoundEntityRef = { kind: 'Resource', namespace: 'default', name: entityNameOf(deployment.replace(/@.*$/, '')) };
    emit(processingResult.relation({ source, type: RELATION_DEPENDS_ON, target }));
    emit(processingResult.relation({ source: target, type: RELATION_DEPENDENCY_OF, target: source }));
    return entity;
  }
}
