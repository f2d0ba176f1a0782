/** Recordings of a YORI in this process, as `yori record` makes them, without files. */
import { PassThrough } from 'node:stream'
import type { ServerResponse } from 'node:http'
import { shippedDetector } from '../../config/read-detect.js'
import { Recordings } from '../../src/control/recordings.js'
import { FrameReader } from '../../src/replay/frames.js'
import type { Frame } from '../../src/replay/frames.js'
import { RecordingBuilder } from '../../src/replay/recording-builder.js'
import { readRecording, recordingText } from '../../src/replay/recording.js'
import type { Recording } from '../../src/replay/recording.js'
import type { ReplayOptions } from '../../src/replay/replayed-provider.js'
import { ReplayedProvider } from '../../src/replay/replayed-provider.js'
import { Sanitiser } from '../../src/replay/sanitiser.js'

export interface Recorder {
  readonly observer: Recordings
  /** Ends it; what is written and read again. */
  stop(): Promise<Recording[]>
  readonly leftOut: string[]
}

export function startRecorder(
  asked: {
    filter?: Record<string, string>
    maxBodyBytes?: number
    level?: Recording['sanitised']
  } = {},
): Recorder {
  const observer = new Recordings()
  const recordings: Recording[] = []
  const leftOut: string[] = []
  const builder = new RecordingBuilder({
    sanitiser: new Sanitiser(shippedDetector(), asked.level ?? 'all'),
    recorded: (recording) => recordings.push(readRecording(recordingText(recording))),
    leftOut: (why) => leftOut.push(why),
  })
  let id = ''
  const reader = new FrameReader((frame: Frame, bytes) => {
    if (frame.kind === 'begun') id = frame.recording
    builder.take(frame, bytes)
  })
  const pipe = new PassThrough({ highWaterMark: 1 << 30 })
  pipe.on('data', (chunk: Buffer) => reader.push(chunk))
  const response = Object.assign(pipe, { writeHead: () => undefined })
  const { filter = {}, maxBodyBytes = 100 << 20 } = asked
  observer.open(response as unknown as ServerResponse, { filter, maxBodyBytes })
  return {
    observer,
    leftOut,
    stop: async () => {
      const ended = new Promise((resolve) => pipe.once('end', resolve))
      if (id === '') await new Promise(setImmediate)
      await observer.stop(id)
      await ended
      await builder.settled()
      return recordings
    },
  }
}

export function providerOf(
  recordings: readonly Recording[],
  options: Partial<ReplayOptions> = {},
): ReplayedProvider {
  return new ReplayedProvider(recordings, {
    match: 'exact',
    inTime: true,
    sanitiserOf: (level) => new Sanitiser(shippedDetector(), level),
    ...options,
  })
}
