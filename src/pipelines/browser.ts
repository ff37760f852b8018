/**
 * Training programs: trainer, tasks, data, all that needs no files and no process. A bundler for browsers takes this barrel in
 * place of `index.ts`, which has the rest; the `browser` condition of package.json says so.
 *
 * @module
 */
export { train } from './trainer/train.ts';
export type { Change, TrainResult } from './trainer/conclude.ts';
export { checkOptions } from './trainer/options.ts';
export type { Duration, TrainOptions } from './trainer/options.ts';
export type { EvaluationRecord, Listener, StepRecord, TrainEvent } from './trainer/events.ts';
export type { Best, EarlyStopping, Watch } from './trainer/earlyStopping.ts';
export { evaluate } from './trainer/evaluate.ts';
export type { EvaluateOptions, Evaluation } from './trainer/evaluate.ts';
export { predict } from './trainer/predict.ts';
export type { Decode, PredictOptions } from './trainer/predict.ts';
export type { Initial, Judge, Learning, Standing, TaskStep, TrainTask, Watched, Weighed } from './trainer/learning.ts';
export { trainWithBackoff } from './trainer/backoff.ts';
export type { Backoff } from './trainer/backoff.ts';
export type { Moment, Origin, RunIdentity, Saving, Snapshot } from './trainer/snapshot.ts';
export { begin, judgeOn, readParams, release } from './trainer/run.ts';
export { proceed } from './trainer/proceed.ts';
export { plateau } from './trainer/steer.ts';
export type { Course, PlateauOptions, Steer } from './trainer/steer.ts';
export type { Run, Setting } from './trainer/run.ts';
export { training } from './trainer/training.ts';
export type { Drawn, Trained, TrainingOptions, TrainingStep } from './trainer/training.ts';
export { batchesOf } from './trainer/batchesOf.ts';
export type { BatchesOptions } from './trainer/batchesOf.ts';
export type { Demand } from './data/examples.ts';
export { fit } from './fitting/fit.ts';
export { learner } from './fitting/learner.ts';
export type { Learner, LearnerOptions } from './fitting/learner.ts';
export { torchLike } from './fitting/torchLike.ts';
export type { TorchLike } from './fitting/torchLike.ts';
export type { FitOptions, Fitted } from './fitting/fit.ts';
export type { Judged, Network } from './fitting/fitted.ts';
export type { Arrays, Example, Given } from './fitting/given.ts';
export type { Standardise } from './fitting/units.ts';
export { loadNetwork } from './fitting/loadNetwork.ts';
export type { LoadOptions } from './fitting/loadNetwork.ts';
export { rungsOf } from './tuning/halving.ts';
export type { Budget, Rung } from './tuning/halving.ts';
export { nextOrder, searchOf, winnerOf } from './tuning/search.ts';
export type { Contender, Order, Search, SearchRequest, TuneResult } from './tuning/search.ts';
export type { Chosen } from './tuning/candidates.ts';
export { tune } from './tuning/tune.ts';
export type { TuneOptions } from './tuning/tune.ts';
export type { Nested, Numbers, Values } from './fitting/numbers.ts';
export { runExperiment } from './experiment.ts';
export type { Experiment, Failed, Finished, Observer, Outcome } from './experiment.ts';
export { dataset, datasetOf, rowsOf } from './data/dataset.ts';
export type { Dataset, Draw, Examples, Splits } from './data/dataset.ts';
export type { Rows } from '../core/rows.ts';
export { parseCsv, readCsv } from './data/csv.ts';
export type { CsvOptions } from './data/csv.ts';
export { classesOf, numbersOf, standardised, tableOf } from './data/table.ts';
export type { Cell, Classes, Table, TableRow } from './data/table.ts';
export { mapped, shuffled, subset } from './data/derived.ts';
export { joined } from './data/joined.ts';
export {
  standardisationOf,
  standardisationsOf,
  standardise,
  standardisedBy,
  unstandardise,
} from './data/standardisation.ts';
export type { Standardisation, Standardisations } from './data/standardisation.ts';
export { keptStandardisation, standardisationIn } from './data/keptStandardisation.ts';
export { splitOf } from './data/splits.ts';
export type { SplitOptions } from './data/splits.ts';
export { batchIndices, range } from './data/batches.ts';
export type { BatchIndices, BatchPlan, Epoch } from './data/batches.ts';
export { readArray } from './data/arrayFiles.ts';
export { decodeNpy } from './data/npy.ts';
export type { NpyArray } from './data/npy.ts';
export { decodeIdx } from './data/idx.ts';
export type { IdxArray } from './data/idx.ts';
export { classes, imageShape, readImages, readMnist } from './data/mnist.ts';
export type { ImageData, LabelledImages, Mnist, NamedImages } from './data/mnist.ts';
export type { FileSystem } from './files/fileSystem.ts';
export { webFileSystem } from './files/webFileSystem.ts';
export { accountOf } from './reports/account.ts';
export type { SeenStep } from './reports/seenSteps.ts';
export { decodeSafetensors } from './safetensors/decode.ts';
export { readSafetensors } from './safetensors/read.ts';
export { encodeSafetensors } from './safetensors/encode.ts';
export { fromTorch, toTorch } from './torch/convert.ts';
export type { Learned } from './torch/convert.ts';
export type { Checkpoint } from './checkpoints/document.ts';
export { decodeCheckpoint, encodeCheckpoint, loadCheckpoint } from './checkpoints/files.ts';
export { loadLatest, saveCheckpoint } from './checkpoints/store.ts';
export type { Found } from './checkpoints/store.ts';
export { checkpointing } from './checkpoints/checkpointing.ts';
export type { CheckpointOptions, Checkpointing, Every } from './checkpoints/checkpointing.ts';
export { spectraOf } from './reports/spectra.ts';
export type { Spectrum } from './reports/spectra.ts';
export type {
  Chart,
  Glimpse,
  Loaded,
  Look,
  Preview,
  Skills,
  Task,
  TaskDefaults,
  TaskFamily,
  TaskSettings,
  TaskSize,
} from './tasks/task.ts';
export type { Exhibit, ImageGrid, ImageRow, PlainFile, PointGrid, PointPanel } from './tasks/exhibit.ts';
export { defineTask } from './tasks/define.ts';
export type { TaskAbout, TaskParts } from './tasks/define.ts';
export { supervised } from './tasks/supervised.ts';
export type { SupervisedParts } from './tasks/supervised.ts';
export { imagePreview } from './tasks/imagePreview.ts';
export type { ImagePreviewOptions } from './tasks/imagePreview.ts';
export { taskNames, taskOf, tasks } from './catalogue/tasks.ts';
export { autoencoder, mnistAutoencoder } from './tasks/mnistAutoencoder.ts';
export { fashionClassifier } from './tasks/fashionClassifier.ts';
export { languageModel } from './tasks/languageModel.ts';
export { gpt, recurrentText } from './tasks/languageNetworks.ts';
export type { GptOptions, RecurrentTextOptions } from './tasks/languageNetworks.ts';
export { bitsPerCharacter, bitsPerCharacterOf, bitsPerToken } from './tasks/textMeasures.ts';
export { textPreview } from './tasks/textPreview.ts';
export type { TextPreviewOptions } from './tasks/textPreview.ts';
export { readText, textSplits } from './data/text.ts';
export type { Text, TextSplits, VocabularyFor } from './data/text.ts';
export { translation } from './tasks/translation.ts';
export { translationNetwork } from './tasks/translationNetworks.ts';
export type { TranslationNetwork, TranslationNetworkOptions } from './tasks/translationNetworks.ts';
export { parsePairs, readPairs } from './data/parallelText.ts';
export type { Languages, ParallelText, TextPair } from './data/parallelText.ts';
export { readMessages } from './data/compilerMessages.ts';
export { corpusBleu } from './bleu/bleu.ts';
export type { Bleu } from './bleu/bleu.ts';
export { tokens13a } from './bleu/tokens13a.ts';
export { translate } from './translating/search.ts';
export type { SearchOptions, Translation } from './translating/search.ts';
export type { Translator } from './translating/translator.ts';
export { bytePairVocabulary } from './vocabularies/bytePairs.ts';
export { characterVocabulary } from './vocabularies/characters.ts';
export { spelled } from './vocabularies/vocabulary.ts';
export type { Vocabulary } from './vocabularies/vocabulary.ts';
export { drawnToken } from './writing/sampling.ts';
export type { Sampling } from './writing/sampling.ts';
export { write } from './writing/writer.ts';
export type { Writer, WritingOptions } from './writing/writer.ts';
export { lenet, resnet8 } from './tasks/imageNetworks.ts';
export { mnistClassifier, perceptron } from './tasks/mnistClassifier.ts';
export { adversarial, gameOptimizers } from './tasks/gan/adversarial.ts';
export type { AdversarialParts, GanMeasures, Judging, Measuring, Playing } from './tasks/gan/adversarial.ts';
export { ganLosses, ganPair } from './tasks/gan/pair.ts';
export type { GanLoss, GanLossName, GanPair, GanParts, GanPenalty } from './tasks/gan/pair.ts';
export { frechetDistance, momentsOf } from './tasks/gan/frechet.ts';
export type { Moments } from './tasks/gan/frechet.ts';
export { overlapOf, reachOf } from './tasks/gan/manifold.ts';
export type { Overlap, Reaching } from './tasks/gan/manifold.ts';
export { imageDiscriminator, imageGenerator } from './tasks/gan/imagePair.ts';
export type { ImagePairOptions } from './tasks/gan/imagePair.ts';
export { samplesPreview } from './tasks/gan/samplesPreview.ts';
export type { SamplesPreviewOptions } from './tasks/gan/samplesPreview.ts';
export { ganMnist } from './tasks/gan/ganMnist.ts';
export type { GanMnistSettings } from './tasks/gan/ganMnist.ts';
export { pointsPreview } from './tasks/gan/pointsPreview.ts';
export { ganRing, ganRingOf } from './tasks/gan/ganRing.ts';
export type { GanRingOptions, GanRingSettings } from './tasks/gan/ganRing.ts';
export type { GanSettings } from './tasks/gan/settings.ts';
export { energyDistance, ringMeasures } from './tasks/gan/ringMeasures.ts';
export { eightGaussians, ringCentres, ringPoints } from './data/ring.ts';
export type { Ring } from './data/ring.ts';
export { accuracy, perExample, perTerm, sigmoidSquaredError } from './tasks/measures.ts';
export type { Measure, Terms } from './tasks/measures.ts';
export type {
  BackendChoice,
  GpuModeChoice,
  OptimizerChoice,
  OptimizerSettings,
  RunConfig,
} from './config/runConfig.ts';
export { composeOptimizer } from './config/compose/compose.ts';
