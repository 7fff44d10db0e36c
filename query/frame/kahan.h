// KahanSum: summation with Neumaier's compensation, in the exact order of operations of Prometheus (util/kahansum), so
// that the last bit agrees.
#pragma once

#include <cmath>

namespace tidemark::query::frame {

struct KahanSum {
  double sum = 0;
  double compensation = 0;

  void Add(double value) {
    const double total = sum + value;
    if (std::isinf(total)) {
      compensation = 0;
    } else if (std::fabs(sum) >= std::fabs(value)) {
      compensation += (sum - total) + value;
    } else {
      compensation += (value - total) + sum;
    }
    sum = total;
  }
  [[nodiscard]] double Total() const { return std::isinf(sum) ? sum : sum + compensation; }
};

// KahanMean: the mean of a run of values: their compensated sum divided by their number, and an incremental mean from
// the moment on at which the sum would overflow.
struct KahanMean {
  KahanSum total;  // the sum, or the mean once `incremental`
  double count = 0;
  bool incremental = false;

  void Add(double value) {
    count += 1;
    if (count == 1) {
      total = {value, 0};
      return;
    }
    if (!incremental) {
      KahanSum next = total;
      next.Add(value);
      if (!std::isinf(next.sum)) {
        total = next;
        return;
      }
      ToIncremental(count - 1);
    }
    const double share = (count - 1) / count;
    total = {share * total.sum, share * total.compensation};
    total.Add(value / count);
  }

  // Adds the values of `other`, which come after those of this.
  void Merge(const KahanMean& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    if (!incremental && !other.incremental) {
      KahanSum next = total;
      next.Add(other.total.sum);
      next.compensation += other.total.compensation;
      if (!std::isinf(next.sum)) {
        total = next;
        count += other.count;
        return;
      }
    }
    KahanMean right = other;
    if (!incremental) ToIncremental(count);
    if (!right.incremental) right.ToIncremental(right.count);
    const double all = count + right.count;
    total = {total.sum * (count / all), total.compensation * (count / all)};
    total.Add(right.total.sum * (right.count / all));
    total.compensation += right.total.compensation * (right.count / all);
    count = all;
  }

  [[nodiscard]] double Value() const {
    return incremental ? total.sum + total.compensation : total.sum / count + total.compensation / count;
  }

 private:
  void ToIncremental(double values) {
    incremental = true;
    total = {total.sum / values, total.compensation / values};
  }
};

}  // namespace tidemark::query::frame
