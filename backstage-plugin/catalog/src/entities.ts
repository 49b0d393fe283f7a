import type { ModuleContent, ModuleView } from '@paceline/api';
import { ANNOTATION_LOCATION, ANNOTATION_ORIGIN_LOCATION, type Entity } from '@backstage/catalog-model';
import { entityNameOf } from './annotations.ts';
import { templateOf } from './template.ts';

export const locationKey = 'paceline';

/** Entities of published modules: a resource of each, and of deployments a template with the form of their parameters. */
export function entitiesOf(modules: readonly ModuleContent[], owner: string): Entity[] {
  const images = new Set(modules.filter(({ module }) => module.kind === 'Image').map(({ module }) => module.name));
  return modules.flatMap((content) => {
    const metadata = metadataOf(content.module);
    const resource = resourceOf(content, metadata, owner, images);
    if (content.module.kind === 'Image' || content.module.deprecated !== null) return [resource];
    return [resource, templateOf(content, { ...metadata, name: entityNameOf(`run-${content.module.name}`) }, owner)];
  });
}

function resourceOf(
  { module, deployment }: ModuleContent,
  metadata: Entity['metadata'],
  owner: string,
  images: ReadonlySet<string>,
): Entity {
  const used = [...new Set(Object.values(deployment.nodes).map(({ image }) => image.name))].filter(
    (name) => images.has(name) && name !== module.name,
  );
  return {
    apiVersion: 'backstage.io/v1alpha1',
    kind: 'Resource',
    metadata,
    spec: {
      type: module.kind === 'Image' ? 'paceline-image' : 'paceline-deployment',
      owner,
      ...(used.length === 0 ? {} : { dependsOn: used.map((name) => `resource:default/${entityNameOf(name)}`) }),
    },
  };
}

function metadataOf({ name, version, digest, title, description, tags, deprecated, commit }: ModuleView): Entity['metadata'] {
  const location = `url:paceline/${encodeURIComponent(name)}`;
  return {
    name: entityNameOf(name),
    title: title === '' ? name : title,
    description: deprecated === null ? description : `Do not use it any more: ${deprecated}`,
    tags: tags.filter((tag) => /^[a-z0-9:+#]+(-[a-z0-9:+#]+)*$/.test(tag) && tag.length <= 63),
    annotations: {
      [ANNOTATION_LOCATION]: location,
      [ANNOTATION_ORIGIN_LOCATION]: location,
      'paceline.dev/module': name,
      'paceline.dev/version': String(version),
      'paceline.dev/digest': digest,
      ...(commit === '' ? {} : { 'paceline.dev/commit': commit }),
    },
  };
}
