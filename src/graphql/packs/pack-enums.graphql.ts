import type { ImageDisposition } from '../../packs/image-disposition.ts';
import type { RegistryFailureReason } from '../../registry/registry.ts';
import { builder } from '../builder.ts';

type Values<Name extends string> = Record<Name, { readonly description: string }>;

export const PackTier = builder.enumType('PackTier', {
  description: 'How much the platform vouches for a pack.',
  values: {
    RECOMMENDED: { description: 'Chosen by the platform.' },
    VERIFIED: { description: 'Checked by the platform.' },
    COMMUNITY: { description: 'Made by its org; nobody else has looked at it.' },
  },
});

export const PackVisibility = builder.enumType('PackVisibility', {
  description: 'Who may read and attach a pack; only its owner may ever change it.',
  values: {
    ORG: { description: 'The owning org.' },
    COMMUNITY: { description: 'Every org.' },
  },
});

export const ImageOrigin = builder.enumType('ImageOrigin', {
  description: 'Where the image of a pack came from.',
  values: {
    UPLOAD: { description: 'Uploaded here: purged from the registry together with the pack.' },
    IMAGE_REF: { description: 'An existing image: never purged by this service.' },
    CLONE: { description: 'Copied from another pack: never purged by this service.' },
  },
});

export const PackStatus = builder.enumType('PackStatus', {
  description: 'Whether a pack can be used.',
  values: {
    ACTIVE: { description: 'It can be read, attached, cloned and changed.' },
    DELETING: { description: 'Its image is being purged. Call deletePack again to finish.' },
    CLEANUP_FAILED: {
      description:
        'The registry failed (cleanupFailure says how). Call deletePack again to resume.',
    },
  },
});

export const ImageDispositionEnum = builder.enumType('ImageDisposition', {
  description: 'What becomes of the image of a deleted pack.',
  values: {
    PURGED: { description: 'Removed from the registry, with its tags and what refers to it.' },
    ALREADY_GONE: { description: 'The registry no longer had it.' },
    RETAINED_SHARED: {
      description:
        'Kept, because another pack points at the same image, or an index that somebody tagged names it.',
    },
    NOT_MANAGED: { description: 'Kept, because it was not uploaded here.' },
  } satisfies Values<ImageDisposition>,
});

export const RegistryFailureReasonEnum = builder.enumType('RegistryFailureReason', {
  description: 'Why the registry did not do what it was asked.',
  values: {
    UNREACHABLE: { description: 'No connection: refused, reset, unknown host or untrusted TLS.' },
    TIMEOUT: { description: 'No complete answer within the deadline.' },
    UNAUTHORIZED: { description: 'The credentials are refused, or lack the right to do this.' },
    DELETE_UNSUPPORTED: { description: 'The registry is configured to refuse deletions.' },
    RATE_LIMITED: { description: 'Too many requests; retryAfterSeconds says when to come back.' },
    REGISTRY_ERROR: { description: 'Any other refusal, or an answer that makes no sense.' },
  } satisfies Values<RegistryFailureReason>,
});
