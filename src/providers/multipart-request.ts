/**
 * What a form asks: uploads, transcriptions and image edits send one in place of JSON. Fields
 * have the names that they would have in JSON; files become attachments.
 */
import type { MultipartContent } from '../http/multipart.js'
import type { Api, Attachment, RequestFacts } from './provider.js'
import { RequestBuilder } from './request.js'

/**
 * `model`, `stream`, and the texts of `prompt`, `input` and `instructions`, which count
 * as the user's. A form that broke off or was over a limit makes facts that are `cut`.
 */
export function readMultipartRequest(content: MultipartContent, api: Api): RequestFacts {
  const builder = new RequestBuilder()
  for (const { name, filename, mediaType, bytes, text } of content.parts) {
    if (filename !== undefined) {
      builder.attachment({ kind: kindOf(mediaType), mediaType, bytes })
    } else if (name === 'model') builder.model = text
    else if (name === 'stream') builder.stream = text === 'true'
    else if (name === 'prompt' || name === 'input' || name === 'instructions')
      builder.message('user', text ?? '')
  }
  const facts = builder.build(api)
  return content.complete ? facts : { ...facts, cut: true }
}

function kindOf(mediaType: string | undefined): Attachment['kind'] {
  const main = mediaType?.split('/', 1)[0]
  return main === 'image' || main === 'audio' || main === 'video' ? main : 'file'
}
