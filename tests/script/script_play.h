// Plays one scenario, once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tests/script/script_file.h"
#include "tests/script/script_match.h"
#include "tests/script/stage.h"

namespace spanwire::script {

// How what is sent reaches the server.
struct Cut {
  std::size_t at = 0;           // every input in two pieces, the first of so many bytes; 0: whole
  bool every_byte = false;      // inputs of up to 256 bytes one byte at a time
  std::uint32_t loop_seed = 0;  // not 0: the loops are stepped in a random order
};

class Play {
 public:
  Play(const Scenario& scenario, Stage& stage, Cut cut)
      : scenario_(scenario), stage_(stage), cut_(cut), rng_(cut.loop_seed) {}

  // What went wrong, with its line; empty if nothing did.
  std::string run();

 private:
  struct Link {
    char name = ' ';
    std::string wire;  // as in app/wires.cc
    test::TestPeer* peer = nullptr;
    std::string data;  // received and not taken by a step yet
    base::Time opened{};
    bool stalled = false;
  };
  struct Answer {
    std::string head;
    std::map<std::string, std::string> headers;  // names in small letters
    std::string body;
  };

  std::string play(const Step& step);
  std::string send(const Step& step);
  std::string expect(Link& link, const std::string& text);
  std::string expect_any_order(const Step& step);
  std::string connects(const Step& step);
  std::string connects_nats(Link& link, const std::string& options);
  std::string greeted(Link& link, const std::string& fields);
  std::string closed(const Step& step);
  std::string nothing(const Step& step);
  std::string nothing_for(Link& link, base::Duration time);
  std::string fence(Link& link);
  std::string share(const Step& step);
  std::string answered(const Step& step);
  std::string read_answer(Link& link, bool with_body, Answer& answer);
  std::string read_chunks(Link& link, std::string& body);
  std::string no_rest();

  Link& link(char name);
  Text parse(const Link& link, const std::string& text) const;
  void write(Link& link, std::string_view bytes);
  void settle();
  void advance(base::Duration time);
  void skip_pings(Link& link, const Text* expected);
  bool wait_for(Link& link, std::string_view end);
  // Takes the first of `choices` that the link's bytes begin with, waiting for it.
  std::string take(Link& link, const std::vector<Text>& choices, std::size_t& chosen,
                   std::string& taken);

  const Scenario& scenario_;
  Stage& stage_;
  Cut cut_;
  std::mt19937 rng_;
  std::map<char, std::string> wires_;
  std::map<char, Link> links_;
};

}  // namespace spanwire::script
