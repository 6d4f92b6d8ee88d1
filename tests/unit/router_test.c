/* SPDX-License-Identifier: Apache-2.0 - Copyright The Landlog authors */
/* router_test.c - which path finds which route. */
#include "core/http/router.h"
#include "t.h"

static const struct http_route root_routes[] = {
    {.method = "GET", .path = "/"}, {.method = "GET", .path = "/health"}, {0}};

static const struct http_route place_routes[] = {
    {.method = "GET", .path = "/v1/places"},
    {.method = "POST", .path = "/v1/places"},
    {.method = "GET", .path = "/v1/places/:id"},
    {.method = "GET", .path = "/v1/places/best"},
    {.method = "DELETE", .path = "/v1/places/:id/likes/:who"},
    {.method = "POST", .path = "/visits", .is_absolute = true},
    {0}};

static const struct http_service root = {.name = "", .routes = root_routes};
static const struct http_service places = {.name = "places", .routes = place_routes};
static const struct http_service *const services[] = {&root, &places, NULL};

static struct route_match find(const char *host, const char *method, const char *path)
{
    struct router *r = router_new(services, "world.org");
    struct route_match m;

    router_find(r, text_of(host), text_of(method), text_of(path), &m);
    m.allowed = TEXT(""); /* it is the router's */
    router_free(r);
    return m;
}

static void paths_find_their_routes(void)
{
    OK(find("", "GET", "/").route == &root_routes[0]);
    OK(find("", "GET", "/health").route == &root_routes[1]);
    OK(find("", "GET", "/places/v1/places").route == &place_routes[0]);
    OK(find("", "POST", "/places/v1/places").route == &place_routes[1]);
    OK(find("", "HEAD", "/places/v1/places").route == &place_routes[0]);
    OK(find("", "GET", "/places/v1/places").service == &places);
}

static void an_absolute_path_has_no_prefix(void)
{
    OK(find("", "POST", "/visits").route == &place_routes[5]);
    OK(find("", "POST", "/visits").service == &places);
    OK(find("", "GET", "/visits").route == NULL);
    OK(find("", "POST", "/places/visits").route == NULL);
    OK(find("places.world.org", "POST", "/visits").route == NULL);
}

static void what_is_spelled_out_wins(void)
{
    struct route_match m = find("", "GET", "/places/v1/places/a%2Fb");

    OK(find("", "GET", "/places/v1/places/best").route == &place_routes[3]);
    OK(m.route == &place_routes[2] && m.parameter_count == 1);
    OK(text_is(m.names[0], "id") && text_is(m.values[0], "a%2Fb"));
    m = find("", "DELETE", "/places/v1/places/7/likes/0xa");
    OK(m.route == &place_routes[4] && m.parameter_count == 2);
    OK(text_is(m.values[0], "7") && text_is(m.values[1], "0xa"));
}

static void other_paths_find_none(void)
{
    static const char *const paths[] = {"/places",
                                        "/places/v1",
                                        "/places/v1/places/",
                                        "/places//v1/places",
                                        "//places/v1/places",
                                        "/Places/v1/places",
                                        "/places/v1/places/7/likes",
                                        "/healthy",
                                        "/health/",
                                        "/places/v1/places/7/likes/0xa/b"};

    for (size_t i = 0; i < LL_LENGTH(paths); i++)
        OK(find("", "GET", paths[i]).route == NULL);
    OK(find("", "GET", "/places/v1/nothing").service == &places);
    OK(find("", "GET", "/nothing").service == &root);
}

static void another_method_is_told_which_there_are(void)
{
    struct router *r = router_new(services, "");
    struct route_match m;

    router_find(r, TEXT(""), TEXT("PATCH"), TEXT("/places/v1/places"), &m);
    OK(m.route == NULL && text_is(m.allowed, "GET, HEAD, POST"));
    router_free(r);
}

static void a_host_stands_for_a_prefix(void)
{
    OK(find("places.world.org", "GET", "/v1/places").route == &place_routes[0]);
    OK(find("PLACES.World.org:8080", "GET", "/v1/places").route == &place_routes[0]);
    OK(find("other.world.org", "GET", "/v1/places").route == NULL);
    OK(find("places.world.com", "GET", "/v1/places").route == NULL);
    OK(find("other.world.org", "GET", "/places/v1/places").route == &place_routes[0]);
}

int main(void)
{
    RUN(paths_find_their_routes);
    RUN(an_absolute_path_has_no_prefix);
    RUN(what_is_spelled_out_wins);
    RUN(other_paths_find_none);
    RUN(another_method_is_told_which_there_are);
    RUN(a_host_stands_for_a_prefix);
    return t_done();
}
