// asio, compiled once: every other file sees declarations only.
#include <asio/impl/src.hpp>
