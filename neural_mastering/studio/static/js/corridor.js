/* Where a song lies among others: what the decision compared it with, else a reference or a style that was chosen. */

import { post } from "./api.js";
import { signed } from "./format.js";

/** {hz, level_db, usual_db, sd_db, regions, numbers}; {refused: sentence} where there is nothing to compare. */
export async function corridorOf(id, settings, decided) {
  if (settings.references.length) return ask(id, { reference: referenceId(settings.references[0]) });
  const { tone } = decided;
  if (!tone?.normal_db) return ask(id, { style: settings.style ?? "all" });
  const known = fromTone(tone);
  if (!settings.style || settings.style === "auto") return known;
  const compared = await ask(id, { style: settings.style });
  return { ...known, numbers: compared.numbers ?? [] };
}

export const referenceId = (reference) => reference.split("=")[0];

async function ask(id, against) {
  try {
    return await post(`/songs/${id}/compare`, against);
  } catch (error) {
    return { refused: error.message };
  }
}

function fromTone(tone) {
  const regions = (tone.regions ?? []).map((region) => ({
    name: region.name,
    span: `${region.low_hz}–${region.high_hz} Hz`,
    unit: "dB",
    difference: region.against_normal_db,
    sigma: region.deviations,
    text: `${region.words || `${region.name}: ${signed(region.against_normal_db)} dB`}`,
  }));
  return { hz: tone.frequency_hz, level_db: tone.song_db, usual_db: tone.normal_db, sd_db: tone.normal_sigma_db, regions, numbers: [] };
}
