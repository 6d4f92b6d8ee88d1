/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* sniff.c - the first row whose bytes are there. */
#include "core/http/sniff.h"

#include <string.h>

struct magic {
    size_t at;
    struct text bytes;
    const char *type;
};

static const struct magic table[] = {
    {0, {"\x89PNG\r\n\x1a\n", 8}, "image/png"},
    {0, {"\xff\xd8\xff", 3}, "image/jpeg"},
    {0, {"GIF87a", 6}, "image/gif"},
    {0, {"GIF89a", 6}, "image/gif"},
    {8, {"WEBP", 4}, "image/webp"}, /* in RIFF */
    {8, {"WAVE", 4}, "audio/wav"},
    {8, {"AVI ", 4}, "video/vnd.avi"},
    {4, {"ftypavif", 8}, "image/avif"},
    {4, {"ftypheic", 8}, "image/heic"},
    {4, {"ftypM4A", 7}, "audio/x-m4a"},
    {4, {"ftypqt", 6}, "video/quicktime"},
    {4, {"ftyp", 4}, "video/mp4"},
    {0, {"\xabKTX 20\xbb\r\n\x1a\n", 12}, "image/ktx2"},
    {0, {"DDS ", 4}, "image/vnd-ms.dds"},
    {0, {"BM", 2}, "image/bmp"},
    {0, {"glTF", 4}, "model/gltf-binary"},
    {0, {"\0asm", 4}, "application/wasm"},
    {0, {"OggS", 4}, "application/ogg"},
    {0, {"ID3", 3}, "audio/mpeg"},
    {0, {"\xff\xfb", 2}, "audio/mpeg"},
    {0, {"\xff\xf3", 2}, "audio/mpeg"},
    {0, {"\xff\xf2", 2}, "audio/mpeg"},
    {0, {"fLaC", 4}, "audio/x-flac"},
    {0, {"\x1a\x45\xdf\xa3", 4}, "video/webm"},
    {0, {"wOFF", 4}, "font/woff"},
    {0, {"wOF2", 4}, "font/woff2"},
    {0, {"OTTO\0", 5}, "font/otf"},
    {0, {"\0\1\0\0\0", 5}, "font/ttf"},
    {0, {"\x1f\x8b", 2}, "application/gzip"},
    {0, {"PK\3\4", 4}, "application/zip"},
    {0, {"%PDF-", 5}, "application/pdf"},
};

static bool matches(const struct magic *m, struct text bytes)
{
    bool is_in_riff = m->at == 8;

    return bytes.len >= m->at + m->bytes.len &&
           memcmp(bytes.ptr + m->at, m->bytes.ptr, m->bytes.len) == 0 &&
           (!is_in_riff || memcmp(bytes.ptr, "RIFF", 4) == 0);
}

/* An object or an array: no more can be known of JSON by its beginning. */
static bool looks_like_json(struct text bytes)
{
    size_t i = 0;
    char first;

    while (i < bytes.len && strchr(" \t\r\n", bytes.ptr[i]) != NULL && bytes.ptr[i]) i++;
    if (i == bytes.len || (bytes.ptr[i] != '{' && bytes.ptr[i] != '[')) return false;
    first = bytes.ptr[i++];
    while (i < bytes.len && strchr(" \t\r\n", bytes.ptr[i]) != NULL && bytes.ptr[i]) i++;
    if (i == bytes.len) return false;
    if (first == '{') return bytes.ptr[i] == '"' || bytes.ptr[i] == '}';
    return bytes.ptr[i] != '\0' && strchr("{[\"]-0123456789tfn", bytes.ptr[i]) != NULL;
}

const char *sniff_type(struct text bytes)
{
    for (size_t i = 0; i < LL_LENGTH(table); i++)
        if (matches(&table[i], bytes)) return table[i].type;
    return looks_like_json(bytes) ? "application/json" : NULL;
}
