// NameMender: the names of a database of which some are lost. It is told what is left of the saved entries and of the
// journal's definitions, and which ids rows are kept under, and gives each of them a name: what is known stays, and
// what is not gets a name that says so (made_up_names.h).
//
//   mender.AddEntry(key, value);                 // of all that can be read
//   mender.AddDefinitions(record.definitions);
//   mender.NoteField(measurement, field);        // of each epoch, and of each row in the journal
//   mender.NoteSeries(field, 1, 9);
//   MendedNames mended = mender.Finish();
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/index/catalog.h"
#include "storage/index/definition.h"
#include "storage/index/dictionary.h"
#include "storage/model/field.h"
#include "storage/model/ids.h"

namespace tidemark::index {

struct MendedNames {
  // Saved entries (key, value) of all names, those that were made up too. An index that loads them is whole.
  std::vector<std::pair<std::string, std::string>> entries;
  // How many were made up.
  uint64_t measurements = 0;
  uint64_t fields = 0;
  uint64_t series = 0;
  [[nodiscard]] bool any() const { return measurements + fields + series > 0; }
};

// Not thread-safe.
class NameMender {
 public:
  NameMender();

  // A saved entry. What of it cannot be read is left out.
  void AddEntry(std::string_view key, std::string_view value);
  // The definitions of one journal record, after the saved entries: of what is known already nothing changes.
  void AddDefinitions(std::string_view definitions);

  // There are rows of this field. Returns whether its type is known.
  bool NoteField(model::MeasurementId measurement, model::FieldId field);
  void NoteType(model::FieldId field, model::FieldType type);
  // There may be rows of series `first` to `last`, both included, with this field.
  void NoteSeries(model::FieldId field, model::SeriesId first, model::SeriesId last);
  // There is a row of this series, of a measurement.
  void NoteRow(model::MeasurementId measurement, model::SeriesId series);

  // Once, after everything else.
  MendedNames Finish();

 private:
  // The texts of one kind by id; 0 in `texts_` where none is known.
  class Names {
   public:
    explicit Names(uint64_t seed) : dictionary_(seed) {}
    // That there is such an id.
    void Need(uint64_t id);
    // A text that another id has, and one for an id that has one, are left out.
    void Add(uint64_t id, uint64_t scope, std::string_view text);
    // The text of an id that may be that of others too: fields of one name.
    void AddShared(uint64_t id, uint64_t scope, std::string_view text);
    // Gives `id` the text, or that text and a number where it is taken.
    void MakeUp(uint32_t id, uint32_t scope, const std::string& text);
    [[nodiscard]] bool Has(uint32_t scope, std::string_view text) const { return dictionary_.Find(scope, text) != 0; }
    [[nodiscard]] bool Knows(uint64_t id) const { return id < texts_.size() && texts_[id] != 0; }
    [[nodiscard]] uint32_t size() const { return static_cast<uint32_t>(texts_.size()) - 1; }
    [[nodiscard]] std::string_view Text(uint32_t id) const { return dictionary_.Text(texts_[id]); }
    [[nodiscard]] uint32_t Scope(uint32_t id) const { return dictionary_.Scope(texts_[id]); }

   private:
    Dictionary dictionary_;
    std::vector<uint32_t> texts_{0};  // in the dictionary
  };
  struct Series {
    bool known = false;
    uint32_t measurement = 0;  // 0: nothing says which
    uint64_t first_pair = 0;   // in pairs_of_series_
    uint32_t pairs = 0;
  };
  struct Run {
    uint32_t first = 0;
    uint32_t last = 0;
  };

  void Add(const Definition& definition);
  void AddField(const Definition& definition);
  Series& SeriesOf(uint64_t id);
  // The measurement of what nobody tells one of.
  uint32_t SpareMeasurement();
  uint32_t NumberLabel();
  uint64_t NameMeasurements();
  uint64_t NameFields();
  void NameLabels();
  void PlaceSeries();
  void AddTexts(Catalog* catalog);
  uint64_t AddSeries(Catalog* catalog);
  void AddRows(Catalog* catalog) const;

  Names measurements_;
  Names labels_;
  Names pairs_;
  Names fields_;
  std::vector<uint32_t> measurements_of_fields_{0};  // as their rows say, by id; 0: nobody says so
  std::vector<uint8_t> types_{0};                    // of fields; 0: not known
  std::map<uint32_t, uint32_t> predecessors_;        // of fields: which had the name before
  std::vector<Series> series_{1};
  std::vector<uint32_t> pairs_of_series_;
  std::vector<bool> lost_pairs_;         // by id: the text or the label of it was made up
  std::vector<bool> lost_measurements_;  // by id: its text was
  uint32_t spare_measurement_ = 0;
  uint32_t number_label_ = 0;
  std::vector<std::pair<uint64_t, std::string>> field_series_;  // saved: position, value
  std::map<uint32_t, std::vector<Run>> rows_;                   // by field
};

}  // namespace tidemark::index
